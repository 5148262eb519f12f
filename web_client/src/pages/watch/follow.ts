/** How a picture follows the voice: nudged while it is near, set when it is far. */

export const NEAR_S = 0.03
export const FAR_S = 0.25
const MAX_NUDGE = 0.25
/** Half of the distance is made good in a quarter of a second. */
const GAIN = 2.5

export type Follow = { kind: 'hold' } | { kind: 'nudge'; rate: number } | { kind: 'seek' }

/** What to do about a picture that is `drift` seconds ahead of the voice. */
export function follow(drift: number, rate: number): Follow {
  const size = Math.abs(drift)
  if (size > FAR_S) return { kind: 'seek' }
  if (size <= NEAR_S) return { kind: 'hold' }
  const nudge = Math.max(-MAX_NUDGE, Math.min(MAX_NUDGE, drift * GAIN))
  return { kind: 'nudge', rate: rate * (1 - nudge) }
}
