/** The output end's connection: fixed m-lines, tracks that come and go without renegotiation. */

import { capabilities, prefer, videoPreferences, type VideoCodec } from './codecs'
import { activate, adjust, running, type Allowed, type Picture, type Wanted, type Wishes } from './layers'
import { PeerLink, type PeerState } from './peer'
import { PINS, addSlot, addStage } from './places'
import type { Source, Sources } from './protocol'
import { openChannel } from './stills/messages'
import { SCREEN_ENCODING, addCamera, rescale } from './simulcast'
import { addVoice, speak, type VoiceSenders } from './voice'

const DEFAULT_CAMERA_HEIGHT = 720

export interface PublisherOptions {
  codec: VideoCodec
  negotiate(sdp: string): Promise<string>
  /** The stills' channel of a new connection. */
  channel(channel: RTCDataChannel): void
  /** A slot's track of a new connection: the stage, or what is pinned. */
  track(mid: string, track: MediaStreamTrack): void
  state(state: PeerState): void
  fault(code: string): void
  create?: () => RTCPeerConnection
}

type Tracks = Record<Source, MediaStreamTrack | null>

/** Publishes microphone, camera and screen on the m-lines of PROTOCOL.md section 1. */
export class Publisher {
  readonly link: PeerLink
  private readonly tracks: Tracks = { microphone: null, camera: null, screen: null }
  private senders: Partial<Record<Picture, RTCRtpSender>> = {}
  private wishes: Wishes = { camera: null, screen: null }
  private allowed: Allowed = { camera: Infinity, screen: true, voice: true, recorded: true, stills_bps: null }
  private negotiated: Partial<Record<Picture, RTCRtpSender>> | null = null
  private voice: VoiceSenders | null = null

  constructor(private readonly options: PublisherOptions) {
    this.link = new PeerLink({
      build: (pc) => this.build(pc),
      negotiate: (sdp) => this.negotiate(sdp),
      state: options.state,
      fault: options.fault,
      ...(options.create ? { create: options.create } : {}),
    })
  }

  /** What is sent now; a muted microphone stays negotiated but does not count as sent. */
  get sources(): Sources {
    const sent = (source: Source) => this.tracks[source]?.enabled === true
    return { microphone: sent('microphone'), camera: sent('camera'), screen: sent('screen') }
  }

  /** Puts a track on its m-line, or takes it off with null. */
  async put(source: Source, track: MediaStreamTrack | null): Promise<void> {
    this.tracks[source] = track
    if (source === 'microphone') return this.voice && this.link.pc ? speak(this.voice, track) : undefined
    if (track) track.contentHint = source === 'screen' ? 'text' : 'motion'
    const sender = this.senders[source]
    if (!sender || !this.link.pc) return
    await sender.replaceTrack(track)
    if (track && source === 'camera') await rescale(sender, heightOf(track))
  }

  /** What the server wants of each picture now. */
  obey(wishes: Record<Picture, Wanted | null>): void {
    this.wishes = { camera: wishes.camera, screen: wishes.screen }
    this.activate()
  }

  /** What the uplink has room for. */
  readonly allow = (allowed: Allowed): void => {
    const same = Object.entries(allowed).every(([name, value]) => this.allowed[name as keyof Allowed] === value)
    this.allowed = allowed
    if (!same) this.activate()
  }

  private activate(): void {
    const { camera, screen, voice, recorded } = this.allowed
    const most = { camera, screen: screen ? 1 : 0 }
    for (const picture of ['camera', 'screen'] as const) {
      const [sender, wanted] = [this.senders[picture], this.wishes[picture]]
      if (sender) void activate(sender, Math.min(most[picture], wanted ? running(wanted, recorded) : Infinity))
    }
    if (this.voice) void activate(this.voice.normal, voice ? 1 : 0)
  }

  /** A new connection begins with all encodings; an ICE restart changes nothing. */
  private async negotiate(sdp: string): Promise<string> {
    const senders = this.senders
    const answer = await this.options.negotiate(sdp)
    if (senders !== this.negotiated) this.obey({ camera: null, screen: null })
    this.negotiated = senders
    return answer
  }

  private async build(pc: RTCPeerConnection): Promise<void> {
    this.voice = addVoice(pc)
    const camera = addCamera(pc, heightOf(this.tracks.camera), this.options.codec)
    const screen = pc.addTransceiver('video', { direction: 'sendonly', sendEncodings: [SCREEN_ENCODING] })
    pc.addEventListener('track', ({ transceiver: { mid }, track }) => {
      if (mid !== null && pc === this.link.pc) this.options.track(mid, track)
    })
    addStage(pc)
    for (let pin = 0; pin < PINS; pin++) addSlot(pc, 'video')
    this.options.channel(openChannel(pc))
    for (const video of [camera, screen]) prefer(video, videoPreferences(capabilities('video'), [this.options.codec]))
    this.senders = { camera: camera.sender, screen: screen.sender }
    await Promise.all([
      speak(this.voice, this.tracks.microphone),
      camera.sender.replaceTrack(this.tracks.camera),
      screen.sender.replaceTrack(this.tracks.screen),
    ])
    await degrade(camera.sender, 'balanced')
    await degrade(screen.sender, 'maintain-resolution')
  }
}

function heightOf(track: MediaStreamTrack | null): number {
  return track?.getSettings().height ?? DEFAULT_CAMERA_HEIGHT
}

/** What the encoder gives up first when the line is short: small print must stay sharp. */
function degrade(sender: RTCRtpSender, preference: 'balanced' | 'maintain-resolution'): Promise<void> {
  return adjust(sender, (parameters) => {
    Object.assign(parameters, { degradationPreference: preference })
    return true
  })
}
