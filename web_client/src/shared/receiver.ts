/** The receiving end's connection: fixed slots that the server fills, empties and refills. */

import { OwnLines } from './ownlines'
import { PeerLink, type PeerState } from './peer'
import { addSlot, addStage } from './places'
import { openChannel } from './stills/messages'

/** The first picture comes at once; the room is made after it, while the lesson plays. */
const JITTER_AFTER_MS = 1000

/** The kinds of the lesson's own m-lines in the order of PROTOCOL.md section 1; the stage's, ours and the data channel follow. */
const SLOTS = ['audio', 'audio', 'video', 'video'] as const

export interface ReceiverOptions {
  negotiate(sdp: string): Promise<string>
  /** How deep the play-out buffer is to be, in milliseconds. */
  target_ms(): number
  /** A slot's track of a new connection; `mid` counts as in PROTOCOL.md. */
  track(mid: string, track: MediaStreamTrack): void
  /** The stills' channel of a new connection. */
  channel(channel: RTCDataChannel): void
  state(state: PeerState): void
  fault(code: string): void
  create?: () => RTCPeerConnection
}

/** Receives a lesson on fixed slots. */
export class Receiver {
  readonly link: PeerLink
  /** What this classroom sends when it is called. */
  readonly own = new OwnLines()

  constructor(private readonly options: ReceiverOptions) {
    this.link = new PeerLink({
      build: (pc) => this.build(pc),
      negotiate: options.negotiate,
      state: options.state,
      fault: options.fault,
      ...(options.create ? { create: options.create } : {}),
    })
  }

  /** Sets the play-out buffer of what arrives now: of sound and picture alike, so that they stay in step. */
  aim(target_ms: number): void {
    const arriving = this.link.pc?.getReceivers().filter((receiver) => !receiver.track.muted) ?? []
    for (const receiver of arriving) aimJitterBuffer(receiver, target_ms)
  }

  private async build(pc: RTCPeerConnection): Promise<void> {
    pc.addEventListener('track', (event) => {
      const aim = () => aimJitterBuffer(event.receiver, this.options.target_ms())
      event.track.addEventListener('unmute', () => setTimeout(aim, JITTER_AFTER_MS), { once: true })
      const mid = event.transceiver.mid
      if (mid !== null && pc === this.link.pc) this.options.track(mid, event.track)
    })
    for (const kind of SLOTS) addSlot(pc, kind)
    addStage(pc)
    const own = this.own.add(pc)
    this.options.channel(openChannel(pc))
    await own
  }
}

function aimJitterBuffer(receiver: RTCRtpReceiver, target_ms: number): void {
  const adjustable = receiver as RTCRtpReceiver & { jitterBufferTarget?: number | null }
  if ('jitterBufferTarget' in adjustable) adjustable.jitterBufferTarget = target_ms
}
