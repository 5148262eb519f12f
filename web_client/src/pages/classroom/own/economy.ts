/** What a school's thin uplink is spared while it speaks: voice first, then stills, then 180 lines, then 360. */

import { Gate, type Look } from '../../../shared/onstage/gate'

export class OwnEconomy {
  /** The voice with its headers, and a picture of 30 kbit/s at least. */
  private readonly small = new Gate(90_000, 140_000)
  private readonly large = new Gate(380_000, 500_000)
  private began_ms: number | null = null

  /** `thin`: what is known of the line before anything was sent on it. */
  constructor(private readonly thin: boolean) {}

  /** How many encodings of the camera may run, from the lowest. */
  look(look: Look, now_ms: number): number {
    if (this.began_ms === null) {
      this.began_ms = now_ms
      // The first words are not to wait behind a picture: a large one comes when the small one has shown what the line carries.
      this.large.shut(now_ms)
      if (this.thin) this.small.shut(now_ms)
    }
    const small = this.small.look(look, look.blind, now_ms)
    const large = this.large.look(look, small && this.small.stands(now_ms), now_ms)
    return small ? (large ? 2 : 1) : 0
  }
}
