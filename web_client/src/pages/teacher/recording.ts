/** Whether a recording really runs: only bytes that grow are believed. */

import type { Recording } from '../../shared/protocol'

/** The server tells the growing size every five seconds; missing two of them is no longer chance. */
export const STALLED_AFTER_MS = 12_000
/** A recording that just began may take this long to show its first bytes before it is called missing. */
export const BEGINS_WITHIN_MS = 3000

export type RecordingState = 'off' | 'starting' | 'growing' | 'stalled'

/** Watches the byte count that `lesson` messages carry. */
export class RecordingWatch {
  private bytes = 0
  private grewAt = 0
  private beganAt = Number.NEGATIVE_INFINITY
  private on = false

  /** The lesson begins, or goes on after a break. */
  begin(now: number): void {
    this.beganAt = now
  }

  hear(recording: Recording, now: number): void {
    if (recording.error) this.beganAt = Number.NEGATIVE_INFINITY
    else if (recording.on && !this.on) this.begin(now)
    if (recording.on && (recording.bytes > this.bytes || !this.on)) this.grewAt = now
    this.on = recording.on
    this.bytes = recording.bytes
  }

  state(now: number): RecordingState {
    if (this.on && this.bytes > 0 && now - this.grewAt < STALLED_AFTER_MS) return 'growing'
    if (now - this.beganAt < BEGINS_WITHIN_MS) return 'starting'
    return this.on ? 'stalled' : 'off'
  }
}
