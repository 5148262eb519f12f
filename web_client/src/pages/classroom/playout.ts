/** How deep the play-out buffer is: a classroom that only listens bears a delay, but no gaps. */

import type { Counters } from '../../shared/stats'

/** On a good line: room for one repair. */
export const SHALLOW_MS = 200
/** On a line that loses: room for three repairs, and for copies that stand far apart. */
export const DEEP_MS = 800
/** The same while the classroom speaks: one repair, and answers that still come as answers. */
export const DEEP_SPEAKING_MS = 400
/** The line must be quiet for this long before the buffer becomes shallow again. */
export const CALM_MS = 60_000
const LOSS = 0.02
const CONCEALED = 0.005
/** Too few packets say nothing. */
const LEAST_PACKETS = 10

/** Follows one page's counters, look by look. */
export class Playout {
  target_ms = SHALLOW_MS
  private troubled_ms = -CALM_MS

  look(before: Counters, after: Counters, speaks = false): number {
    const grown = (name: 'packets' | 'lost' | 'asked' | 'concealed' | 'samples') => Math.max(0, after[name] - before[name])
    const packets = grown('packets')
    if (packets >= LEAST_PACKETS) {
      const lossy = grown('lost') + grown('asked') > LOSS * packets
      // Before the first packets have played browsers make up sound on every line, the best one, too.
      const gaps = before.packets >= LEAST_PACKETS && grown('concealed') > CONCEALED * grown('samples')
      if (lossy || gaps) this.troubled_ms = after.at_ms
    }
    const deep_ms = speaks ? DEEP_SPEAKING_MS : DEEP_MS
    this.target_ms = after.at_ms - this.troubled_ms < CALM_MS ? deep_ms : SHALLOW_MS
    return this.target_ms
  }
}
