/** Whether a recording really runs: only bytes that grow are believed. */

import type { Recording } from '../../shared/protocol'

export const STALLED_AFTER_MS = 6000

export type RecordingState = 'off' | 'growing' | 'stalled'

/** Watches the byte count that `lesson` messages carry. */
export class RecordingWatch {
  private bytes = 0
  private grewAt = 0
  private on = false

  hear(recording: Recording, now: number): void {
    if (recording.on && (recording.bytes > this.bytes || !this.on)) this.grewAt = now
    this.on = recording.on
    this.bytes = recording.bytes
  }

  state(now: number): RecordingState {
    if (!this.on) return 'off'
    return this.bytes > 0 && now - this.grewAt < STALLED_AFTER_MS ? 'growing' : 'stalled'
  }
}
