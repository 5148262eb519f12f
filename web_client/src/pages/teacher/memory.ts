/** What a reload must not forget: that this lesson is being taught, with which sources, and since when. */

const KEY = 'zd.teaching'

export interface Teaching {
  lesson: string
  since_ms: number
  camera: boolean
  muted: boolean
  screen: boolean
}

export function remember(teaching: Teaching): void {
  sessionStorage.setItem(KEY, JSON.stringify(teaching))
}

/** The lesson that was being taught in this tab, if it is this one. */
export function recall(lesson: string): Teaching | null {
  try {
    const value = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Teaching | null
    return value?.lesson === lesson ? value : null
  } catch {
    return null
  }
}

export function forget(): void {
  sessionStorage.removeItem(KEY)
}
