/** The cookie that lets <video> and <img> read the library, kept alive while a page needs it. */

import type { Api } from './api'
import { CodedError } from './protocol'

export const RENEW_EVERY_MS = 5 * 60_000
const RETRY_MS = 10_000

/** Gets the cookie, then renews it until stopped; the first failure is the caller's to tell. */
export async function keepMediaSession(api: Pick<Api, 'mediaSession'>): Promise<() => void> {
  await api.mediaSession()
  let timer: ReturnType<typeof setTimeout>
  const later = (wait: number) => {
    timer = setTimeout(() => {
      api.mediaSession().then(
        () => later(RENEW_EVERY_MS),
        (error: unknown) => {
          // A refusal stays a refusal; only a broken line is worth another try.
          const code = error instanceof CodedError ? error.code : ''
          if (code === 'offline' || code === 'internal') later(RETRY_MS)
        },
      )
    }, wait)
  }
  later(RENEW_EVERY_MS)
  return () => clearTimeout(timer)
}
