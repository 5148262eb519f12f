/** One thing that a short line does not get, and that it gets again when it has become better. */

import { RETRY_MOST_MS, RETRY_MS } from '../layers'

export interface Look {
  /** What the browser believes that the line carries; null: it does not say. */
  bps: number | null
  /** The line is what holds the pictures back, or what is sent waits in it. */
  short: boolean
  /** No picture is sent: the browser cannot find out whether the line became better. */
  blind: boolean
}

/** A line that falls is obeyed after so long, one that rises after so long. */
const FALL_MS = 2000
const RISE_MS = 10_000
const LASTED_MS = 30_000

/** One thing that a line below `close_bps` does not get, and one above `open_bps` gets again. */
export class Gate {
  open = true
  private since_ms: number | null = null
  private changed_ms = -Infinity
  private wait_ms = RETRY_MS
  private failed = false

  constructor(
    private readonly close_bps: number,
    private readonly open_bps: number,
  ) {}

  /** `retries`: whether only a try can tell if the line became better. */
  look({ bps, short }: Look, retries: boolean, now_ms: number): boolean {
    const waited = now_ms - this.changed_ms >= this.wait_ms
    const turns = bps !== null && (this.open ? short && bps < this.close_bps : bps > this.open_bps)
    if (!turns) this.since_ms = null
    else this.since_ms ??= now_ms
    const held_ms = this.since_ms === null ? -1 : now_ms - this.since_ms
    if (this.open && held_ms >= FALL_MS) {
      this.failed = now_ms - this.changed_ms < LASTED_MS
      this.wait_ms = this.failed ? Math.min(RETRY_MOST_MS, this.wait_ms * 2) : RETRY_MS
      this.turn(false, now_ms)
    } else if (!this.open && ((held_ms >= RISE_MS && (waited || !this.failed)) || (retries && waited))) this.turn(true, now_ms)
    return this.open
  }

  /** Open for long enough to see what it costs. */
  stands(now_ms: number): boolean {
    return this.open && now_ms - this.changed_ms >= RISE_MS
  }

  /** The line is known to be short. */
  shut(now_ms: number): void {
    if (this.open) this.turn(false, now_ms)
  }

  private turn(open: boolean, now_ms: number): void {
    this.open = open
    this.changed_ms = now_ms
    this.since_ms = null
  }
}
