/** When a screen has come to rest: small looks at it, compared. No clock and no canvas of its own. */

/** So long without a large change. */
export const STEADY_MS = 700
/** Least time between two stills. */
export const APART_MS = 2000
/** A look is this small. */
export const LOOK_WIDTH = 320
export const LOOK_HEIGHT = 180

/** A pixel that changed by more than this in all its colours together counts: a captured screen has no noise. */
const PIXEL = 12
/** So many changed pixels are a large change: a line of small print is 100, a moved pointer 30, a blinking cursor 5. */
const LARGE = 40

export type Look = Uint8ClampedArray

function differs(a: Look, b: Look): boolean {
  let changed = 0
  for (let at = 0; at < a.length; at += 4) {
    const delta = Math.abs(a[at]! - b[at]!) + Math.abs(a[at + 1]! - b[at + 1]!) + Math.abs(a[at + 2]! - b[at + 2]!)
    if (delta > PIXEL && ++changed >= LARGE) return true
  }
  return false
}

/** Decides when a still is due. */
export class Steady {
  private last: Look | null = null
  private taken: Look | null = null
  private changed_ms = 0
  private taken_ms = -Infinity

  /** A frame was shown. */
  see(look: Look, now_ms: number): void {
    if (!this.last || differs(this.last, look)) this.changed_ms = now_ms
    // Slow changes add up against the first look, not against the one before.
    if (this.changed_ms === now_ms) this.last = look
  }

  /** Milliseconds until a still is due, as far as is known now; null when nothing new is to be seen. */
  due_ms(now_ms: number): number | null {
    if (!this.last || (this.taken && !differs(this.taken, this.last))) return null
    return Math.max(0, this.changed_ms + STEADY_MS - now_ms, this.taken_ms + APART_MS - now_ms)
  }

  /** The still was taken. */
  take(now_ms: number): void {
    this.taken = this.last
    this.taken_ms = now_ms
  }
}
