/** Which encodings of a picture are sent: what nobody watches costs the uplink nothing (PROTOCOL.md 3.2). */

export type Picture = 'camera' | 'screen'

/** How many encodings, counted from the lowest, classrooms want and the recording wants. */
export interface Wanted {
  watched: number
  recorded: number
}

/** What the uplink has room for: of the camera so many encodings, of the voice the better one. */
export interface Allowed {
  camera: number
  screen: boolean
  voice: boolean
  /** What only the recording wants. */
  recorded: boolean
  /** For stills; null: whatever they take. */
  stills_bps: number | null
}

export type Wishes = Record<Picture, Wanted | null>

/** How many are to run; the recording's own only while the uplink has room for them. */
export function running({ watched, recorded }: Wanted, room: boolean): number {
  return room ? Math.max(watched, recorded) : watched
}

const turns = new WeakMap<RTCRtpSender, Promise<void>>()

/** Changes a sender's parameters, one change after another: browsers refuse those that were read before the last one. */
export function adjust(sender: RTCRtpSender, change: (parameters: RTCRtpSendParameters) => boolean): Promise<void> {
  const turn = (turns.get(sender) ?? Promise.resolve()).then(async () => {
    const parameters = sender.getParameters()
    if (change(parameters)) await sender.setParameters(parameters).catch(() => undefined)
  })
  turns.set(sender, turn)
  return turn
}

/** Lets the lowest `count` encodings run, or all without a number. */
export function activate(sender: RTCRtpSender, count = Infinity): Promise<void> {
  return adjust(sender, ({ encodings }) => {
    const before = encodings.map((encoding) => encoding.active !== false)
    encodings.forEach((encoding, place) => (encoding.active = place < count))
    return encodings.some((encoding, place) => encoding.active !== before[place])
  })
}

/** So long a line must be free of shortage before the recording's own encodings are tried again. */
export const RETRY_MS = 60_000
export const RETRY_MOST_MS = 480_000

/** Whether the uplink has room for what is only recorded; a try that failed makes the next one wait longer. */
export class Room {
  free = true
  private wait_ms = RETRY_MS
  private since_ms = 0

  look(short: boolean, now_ms: number): boolean {
    if (short) {
      if (this.free) {
        const lasted = now_ms - this.since_ms > 2 * this.wait_ms
        this.wait_ms = this.since_ms === 0 || lasted ? RETRY_MS : Math.min(RETRY_MOST_MS, this.wait_ms * 2)
      }
      this.free = false
      this.since_ms = now_ms
    } else if (!this.free && now_ms - this.since_ms >= this.wait_ms) {
      this.free = true
      this.since_ms = now_ms
    }
    return this.free
  }
}
