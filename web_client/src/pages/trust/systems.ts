/** Which system a browser says it runs on. */

export const SYSTEMS = ['windows', 'android', 'linux', 'macos'] as const

export type System = (typeof SYSTEMS)[number]

/** Android names itself Linux too, so it is asked first; what is unknown is taken for Windows, the schools' usual. */
export function systemOf(userAgent: string): System {
  if (/android/i.test(userAgent)) return 'android'
  if (/mac os|macintosh|iphone|ipad/i.test(userAgent)) return 'macos'
  if (/linux|x11|cros/i.test(userAgent)) return 'linux'
  return 'windows'
}
