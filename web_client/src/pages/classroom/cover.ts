/** Whether a still stands before the moving picture. */

/** Without a new frame for so long, a moving picture has stopped. */
export const STALE_MS = 1000

export interface Cover {
  /** When the still was announced; null: there is none. */
  since_ms: number | null
  /** When the last frame was shown. */
  moved_ms: number
  now_ms: number
  /** The server has paused the picture. */
  paused: boolean
}

/** Never an older still over a newer frame: the class must not see a page that was turned. */
export function isCovering({ since_ms, moved_ms, now_ms, paused }: Cover): boolean {
  return since_ms !== null && since_ms > moved_ms && (paused || now_ms - moved_ms >= STALE_MS)
}
