/** A PeerConnection for tests: it records what is asked of it and moves when it is told. */

import { vi } from 'vitest'

export interface FakeTransceiver {
  kind: string
  init: RTCRtpTransceiverInit
  mid: string | null
  sender: {
    track: MediaStreamTrack | null
    parameters: RTCRtpSendParameters
    replaceTrack: (track: MediaStreamTrack | null) => Promise<void>
    getParameters: () => RTCRtpSendParameters
    setParameters: (parameters: RTCRtpSendParameters) => Promise<void>
  }
  setCodecPreferences: ReturnType<typeof vi.fn>
}

export class FakePeer extends EventTarget {
  static made: FakePeer[] = []
  connectionState: RTCPeerConnectionState = 'new'
  localDescription: { sdp: string } | null = null
  remote: string | null = null
  lines: string[] = []
  offers: RTCOfferOptions[] = []
  transceivers: FakeTransceiver[] = []
  /** Modes that this browser refuses. */
  static refuseScalability = false

  constructor() {
    super()
    FakePeer.made.push(this)
  }

  addTransceiver(kind: string, init: RTCRtpTransceiverInit): FakeTransceiver {
    const encodings = init.sendEncodings ?? [{}]
    const scaled = encodings.some((encoding) => 'scalabilityMode' in encoding)
    if (scaled && FakePeer.refuseScalability) throw new DOMException('unsupported', 'OperationError')
    const sender: FakeTransceiver['sender'] = {
      track: null,
      parameters: { encodings: encodings.map((encoding) => ({ ...encoding })) } as RTCRtpSendParameters,
      replaceTrack: (track) => {
        sender.track = track
        return Promise.resolve()
      },
      getParameters: () => sender.parameters,
      setParameters: (parameters) => {
        sender.parameters = parameters
        return Promise.resolve()
      },
    }
    const made = { kind, init, mid: String(this.lines.length), sender, setCodecPreferences: vi.fn() }
    this.transceivers.push(made)
    this.pendingLines.push(`${kind} ${init.direction ?? ''}`)
    return made
  }

  private pendingLines: string[] = []
  private pendingData = false

  createDataChannel(): RTCDataChannel {
    this.pendingData = true
    return Object.assign(new EventTarget(), { readyState: 'connecting', binaryType: 'blob' }) as unknown as RTCDataChannel
  }

  /** As browsers do: old lines stay, new media follows, the data channel comes last. */
  createOffer(options: RTCOfferOptions = {}): Promise<RTCSessionDescriptionInit> {
    this.offers.push(options)
    this.lines.push(...this.pendingLines.splice(0))
    if (this.pendingData) this.lines.push('data')
    this.pendingData = false
    return Promise.resolve({ type: 'offer', sdp: this.lines.join('|') })
  }

  setLocalDescription(offer: RTCSessionDescriptionInit): Promise<void> {
    this.localDescription = { sdp: offer.sdp ?? '' }
    return Promise.resolve()
  }

  setRemoteDescription(answer: RTCSessionDescriptionInit): Promise<void> {
    this.remote = answer.sdp ?? ''
    return Promise.resolve()
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.dispatchEvent(new Event('connectionstatechange'))
  }

  close(): void {
    this.connectionState = 'closed'
  }
}

/** For `create` of a link. */
export const createFake = () => new FakePeer() as unknown as RTCPeerConnection
