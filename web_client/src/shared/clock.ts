/**
 * The server's time on a computer whose own clock may be hours wrong.
 * One answer of the server and the browser's steady clock are enough; the computer's clock is asked only while nothing was heard yet.
 */

/** How fast an anchor grows old: a cheap quartz is good to 50 parts in a million. */
const DRIFT = 100e-6
/** A computer that slept keeps its steady clock still: an anchor that is off by more than this is replaced. */
const JUMP_MS = 5000

/** One hearing of the server's time. */
interface Anchor {
  server_ms: number
  steady_ms: number
  /** How wrong it may be: half of the way there and back. */
  error_ms: number
}

/** Turns the steady clock (`performance.now()`, handed in) into the server's. */
export class ServerClock {
  private anchor: Anchor | null = null

  /** The server said `server_ms` somewhere between asking and hearing. */
  hear(server_ms: number, asked_ms: number, heard_ms: number): void {
    const next = { server_ms, steady_ms: (asked_ms + heard_ms) / 2, error_ms: (heard_ms - asked_ms) / 2 }
    const old = this.anchor
    if (!old) this.anchor = next
    else {
      const age_ms = Math.max(0, next.steady_ms - old.steady_ms)
      const jumped = Math.abs(this.at(next.steady_ms) - server_ms) > JUMP_MS + next.error_ms
      if (jumped || next.error_ms <= old.error_ms + age_ms * DRIFT) this.anchor = next
    }
  }

  /** Before the server was heard: what its clock was ahead of this computer's (`own_ms`) the last time. */
  guess(ahead_ms: number, own_ms: number, steady_ms: number): void {
    this.anchor ??= { server_ms: own_ms + ahead_ms, steady_ms, error_ms: Number.POSITIVE_INFINITY }
  }

  /** Whether the server itself was heard. */
  get sure(): boolean {
    return this.anchor !== null && Number.isFinite(this.anchor.error_ms)
  }

  /** The server's time, or null while there is nothing to go by. */
  now(steady_ms: number): number | null {
    return this.anchor ? Math.round(this.at(steady_ms)) : null
  }

  private at(steady_ms: number): number {
    const { server_ms, steady_ms: then_ms } = this.anchor as Anchor
    return server_ms + (steady_ms - then_ms)
  }
}

/** The one clock of this page; whoever hears the server's time tells it. */
export const serverClock = new ServerClock()

/** The server's time, as well as it is known: the computer's own before the server was heard. */
export function serverNow(): number {
  return serverClock.now(performance.now()) ?? Date.now()
}
