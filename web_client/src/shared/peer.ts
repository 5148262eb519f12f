/** One PeerConnection that mends itself: ICE restart when it falters, a new one when it fails (PROTOCOL.md 1, 3). */

import { CodedError } from './protocol'

export type PeerState = 'idle' | 'connecting' | 'connected' | 'interrupted'

export const RESTART_AFTER_MS = 2000
const CONNECT_WITHIN_MS = 8000
const RETRY_MS = [300, 500, 1000]

/** Faults that another offer of the same kind would only meet again. */
const FINAL_CODES = new Set(['bad_sdp', 'unknown_codec', 'forbidden', 'already_publishing', 'lesson_closed'])

export interface PeerOptions {
  /** Adds the fixed m-lines to a fresh connection. */
  build(pc: RTCPeerConnection): void | Promise<void>
  /** Sends the offer, resolves to the answer. */
  negotiate(sdp: string): Promise<string>
  state(state: PeerState): void
  fault(code: string): void
  create?: () => RTCPeerConnection
}

/** The life of a page's media: made, connected, restarted, replaced, closed. */
export class PeerLink {
  pc: RTCPeerConnection | null = null
  state: PeerState = 'idle'

  private failures = 0
  private negotiating = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly onNetworkChange = () => this.networkChanged()

  constructor(private readonly options: PeerOptions) {
    window.addEventListener('online', this.onNetworkChange)
    networkInformation()?.addEventListener('change', this.onNetworkChange)
  }

  /** Acts on `welcome`: media that still flows or is being agreed on stays, everything else is made anew. */
  welcomed(resumed: boolean): void {
    if (this.negotiating) return
    const flowing = this.pc?.connectionState
    if (resumed && flowing === 'connected') return
    if (resumed && flowing === 'disconnected') void this.restartIce()
    else void this.rebuild()
  }

  /** Replaces the connection. The old one is closed once the new one stands in its place. */
  async rebuild(): Promise<void> {
    clearTimeout(this.timer)
    const old = this.pc
    const pc = (this.options.create ?? (() => new RTCPeerConnection({ bundlePolicy: 'max-bundle' })))()
    this.pc = pc
    this.watch(pc)
    this.setState('connecting')
    old?.close()
    await this.negotiate(pc, false)
  }

  /** New ICE credentials on the same DTLS association. */
  async restartIce(): Promise<void> {
    clearTimeout(this.timer)
    const pc = this.pc
    if (!pc || pc.connectionState === 'closed') return this.rebuild()
    if (!this.negotiating) await this.negotiate(pc, true)
  }

  close(): void {
    window.removeEventListener('online', this.onNetworkChange)
    networkInformation()?.removeEventListener('change', this.onNetworkChange)
    clearTimeout(this.timer)
    this.negotiating = false
    this.pc?.close()
    this.pc = null
    this.setState('idle')
  }

  private async negotiate(pc: RTCPeerConnection, iceRestart: boolean): Promise<void> {
    this.negotiating = true
    try {
      if (!iceRestart) await this.options.build(pc)
      if (pc !== this.pc) return
      const offer = await pc.createOffer({ iceRestart })
      await pc.setLocalDescription(offer)
      const answer = await this.options.negotiate(pc.localDescription?.sdp ?? offer.sdp ?? '')
      if (pc !== this.pc) return
      await pc.setRemoteDescription({ type: 'answer', sdp: answer })
      this.expectConnection()
    } catch (error) {
      if (pc === this.pc) this.negotiationFailed(error)
    } finally {
      if (pc === this.pc) this.negotiating = false
    }
  }

  private negotiationFailed(error: unknown): void {
    const code = error instanceof CodedError ? error.code : 'internal'
    this.setState('interrupted')
    if (code === 'offline') return
    if (FINAL_CODES.has(code)) this.options.fault(code)
    else this.retry()
  }

  private watch(pc: RTCPeerConnection): void {
    pc.addEventListener('connectionstatechange', () => {
      if (pc === this.pc) this.connectionChanged(pc.connectionState)
    })
  }

  private connectionChanged(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      clearTimeout(this.timer)
      this.failures = 0
      this.setState('connected')
    } else if (state === 'disconnected') {
      this.setState('interrupted')
      this.later(RESTART_AFTER_MS, () => this.restartIce())
    } else if (state === 'failed') {
      this.setState('interrupted')
      this.retry()
    }
  }

  private expectConnection(): void {
    this.later(CONNECT_WITHIN_MS, () => (this.pc?.connectionState === 'connected' ? undefined : this.rebuild()))
  }

  private retry(): void {
    const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)] ?? 1000
    this.later(wait, () => this.rebuild())
  }

  private later(wait: number, act: () => Promise<void> | undefined): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void act(), wait)
  }

  private networkChanged(): void {
    if (this.pc && this.pc.connectionState !== 'new') void this.restartIce()
  }

  private setState(state: PeerState): void {
    if (state === this.state) return
    this.state = state
    this.options.state(state)
  }
}

function networkInformation(): EventTarget | undefined {
  return (navigator as Navigator & { connection?: EventTarget }).connection
}
