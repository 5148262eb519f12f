/** What a short uplink is spared, so that the voice stays whole: the moving screen, then the better voice, then the camera. */

import type { Allowed } from '../../shared/layers'
import { Gate, type Look } from '../../shared/onstage/gate'
import { CAMERA_LAYERS } from '../../shared/simulcast'

/** A line that is only being found out is not short yet. */
const FIRST_MS = 8000

/** What stills may take of a short line: the voice comes first, and all of them share its queue. */
const STILLS_PART = 0.4
const STILLS_LEAST_BPS = 8000

/** Follows one connection, look by look. */
export class Economy {
  // A page of slides is a key frame of 60 kB: below this rate it fills the line for longer than a still of it takes.
  private readonly screen = new Gate(350_000, 450_000)
  // Both voices need 110 kbit/s with their headers, the low-rate one alone 20.
  private readonly voice = new Gate(140_000, 220_000)
  // While an encoding waits to be sent, browsers fill the line to find room for it, and the voice stands in the queue:
  // each is switched off where it cannot fit beside those below it. The smallest needs 30 kbit/s and its headers; the
  // largest is left to the browser: on a line that bears the middle one the voice stands in no queue for it.
  private readonly layers = [new Gate(65_000, 110_000), new Gate(380_000, 500_000)]
  private began_ms: number | null = null

  /** What to send now; `recorded` is for others to say. */
  look(look: Look, now_ms: number): Omit<Allowed, 'recorded'> {
    this.began_ms ??= now_ms
    if (now_ms - this.began_ms < FIRST_MS) return { camera: CAMERA_LAYERS.length, screen: true, voice: true, stills_bps: null }
    const fit = this.layers.map((gate, place) => {
      return gate.look(look, place === 0 || this.layers[place - 1]!.stands(now_ms), now_ms)
    })
    const missing = fit.indexOf(false)
    // While a picture is sent the browser learns from it what the line carries: no other try is needed.
    const tries = look.blind && this.layers[0]!.stands(now_ms)
    const [screen, voice] = [this.screen.look(look, tries, now_ms), this.voice.look(look, tries, now_ms)]
    const short = !screen || !voice || !fit[0]
    return {
      camera: missing < 0 ? CAMERA_LAYERS.length : missing,
      screen,
      voice,
      stills_bps: short ? Math.max(STILLS_LEAST_BPS, STILLS_PART * (look.bps ?? 0)) : null,
    }
  }
}
