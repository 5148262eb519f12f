/** Two on stage duck each other: who is clearly softer is turned down, so that a word is understood (PROTOCOL.md 3.3). */

/** So much softer than the other, in decibels, is listening. */
const BELOW_DB = 6
const DOWN_DB = 12
/** Below this nobody speaks. */
const SILENT_DB = -60
/** A speaker's level falls so slowly between syllables. */
const FALL_DB_PER_S = 20

export type Pair<T> = readonly [T, T]

/** What each voice is multiplied with. */
export function gains([first, second]: Pair<number>): Pair<number> {
  const down = 10 ** (-DOWN_DB / 20)
  if (Math.max(first, second) <= SILENT_DB) return [1, 1]
  return [first <= second - BELOW_DB ? down : 1, second <= first - BELOW_DB ? down : 1]
}

const decibels = (level: number) => Math.max(SILENT_DB, 20 * Math.log10(level + 1e-9))

/** Follows two voices, look by look; a level is the amplitude of browsers, 0 to 1. */
export class Ducking {
  private held: [number, number] = [SILENT_DB, SILENT_DB]
  private last_ms = 0

  look(levels: Pair<number>, now_ms: number): Pair<number> {
    const fallen = (FALL_DB_PER_S * Math.max(0, now_ms - this.last_ms)) / 1000
    this.last_ms = now_ms
    const hold = (place: 0 | 1) => Math.max(decibels(levels[place]), this.held[place] - fallen, SILENT_DB)
    this.held = [hold(0), hold(1)]
    return gains(this.held)
  }
}
