/** The WebSocket of PROTOCOL.md section 3: it reconnects for ever, resumes, and answers requests by id. */

import { serverClock } from './clock'
import { probe } from './probe'
import {
  CodedError,
  PROTOCOL_VERSION,
  type ClientMessage,
  type Role,
  type ServerMessage,
  type Welcome,
} from './protocol'

export type SignalState = 'connecting' | 'open' | 'lost' | 'ended'

const BACKOFF_MS = [0, 500, 1000, 2000]
const BACKOFF_JITTER = 0.25
const PING_EVERY_MS = 2000
const DEAD_AFTER_MS = 5000
const CONNECT_WITHIN_MS = 5000
const REQUEST_WITHIN_MS = 10_000

/** Errors that no repetition heals: a person has to do something. */
const FINAL_CODES = new Set(['bad_token', 'forbidden', 'no_such_lesson', 'lesson_closed', 'already_publishing'])

export interface SignalEvents {
  /** The server took us in: `resumed` says whether our media still stands. */
  welcome(message: Welcome): void
  message(message: ServerMessage): void
  state(state: SignalState): void
  /** The end of the session; `code` is a `bye` reason or an error code. */
  ended(code: string): void
  /** The token ran out: fetch a new one, or reject to end the session. */
  renewToken(): Promise<void>
}

export interface SignalOptions {
  url: string
  page: Role
  tab: string
  language: string
  token: () => string
  resume?: string | null
  events: SignalEvents
  socket?: (url: string) => WebSocket
  random?: () => number
}

interface Pending {
  resolve(sdp: string): void
  reject(error: Error): void
  timer: ReturnType<typeof setTimeout>
}

/** One page's line to the signalling process. */
export class Signal {
  state: SignalState = 'connecting'
  session: string | null
  lostSince = 0

  private socket: WebSocket | null = null
  private attempt = 0
  /** When the server wants to see us again. */
  private wait_ms = 0
  private welcomed = false
  private lastHeard = 0
  private stopProbe = () => {}
  private nextId = 1
  private readonly pending = new Map<number, Pending>()
  /** Offers made while the first line is still being built. */
  private early: object[] = []
  private retry: ReturnType<typeof setTimeout> | undefined
  private ping: ReturnType<typeof setInterval> | undefined
  private readonly onOnline = () => this.reconnectNow()

  constructor(private readonly options: SignalOptions) {
    this.session = options.resume ?? null
  }

  start(): void {
    window.addEventListener('online', this.onOnline)
    this.connect()
  }

  /** Sends when the line is up; a message that is lost is repeated by the page after `welcome`. */
  send(message: ClientMessage): boolean {
    return this.write(message)
  }

  /** Sends an offer and waits for its answer; the first one may be made at once, it goes out right behind the hello. */
  offer(sdp: string): Promise<string> {
    const id = this.nextId++
    const message = { type: 'offer', id, sdp }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new CodedError('timeout')), REQUEST_WITHIN_MS)
      this.pending.set(id, { resolve, reject, timer })
      if (this.state === 'connecting' && this.socket?.readyState === 0) this.early.push(message)
      else if (!this.write(message)) this.settle(id)?.reject(new CodedError('offline'))
    })
  }

  /** Tries again at once, for instance when the network came back. */
  reconnectNow(): void {
    if (this.state !== 'lost' || this.socket) return
    this.attempt = 0
    this.connect()
  }

  stop(): void {
    window.removeEventListener('online', this.onOnline)
    this.setState('ended')
    this.drop()
  }

  private connect(probing = true): void {
    clearTimeout(this.retry)
    this.welcomed = false
    const make = this.options.socket ?? ((url: string) => new WebSocket(url))
    const socket = make(this.options.url)
    this.socket = socket
    this.lastHeard = performance.now()
    socket.onopen = () => socket === this.socket && this.sayHello()
    if (this.state === 'lost' && probing) this.stopProbe = probe(() => this.overtaken(socket))
    socket.onmessage = (event) => socket === this.socket && this.hear(String(event.data))
    socket.onclose = () => socket === this.socket && this.lose()
    this.ping = setInterval(() => this.beat(), PING_EVERY_MS)
  }

  /** A request that began later has been answered: this attempt waits for a packet that was lost long ago. */
  private overtaken(socket: WebSocket): void {
    this.stopProbe()
    if (socket !== this.socket || socket.readyState !== 0) return
    this.drop()
    // One restart is enough: on a slow line a second one would only lose time.
    this.connect(false)
  }

  private sayHello(): void {
    this.stopProbe()
    const { page, tab, language, token } = this.options
    const resume = this.session
    this.lastHeard = performance.now()
    this.write({ type: 'hello', protocol: PROTOCOL_VERSION, token: token(), page, tab, resume, language })
    for (const offer of this.early.splice(0)) this.write(offer)
  }

  private beat(): void {
    const silence = performance.now() - this.lastHeard
    const opening = this.socket?.readyState === 0
    // An attempt that hung has waited long enough.
    if (silence > (this.welcomed ? DEAD_AFTER_MS : CONNECT_WITHIN_MS)) this.lose(opening)
    else if (this.welcomed) this.write({ type: 'ping', t: Math.round(performance.now()) })
  }

  private hear(text: string): void {
    this.lastHeard = performance.now()
    const message = parse(text)
    if (!message) return
    switch (message.type) {
      case 'welcome':
        this.enter(message)
        return
      case 'answer':
        this.settle(message.id)?.resolve(message.sdp)
        return
      case 'error':
        this.wait_ms = 1000 * (message.verdict?.seconds ?? 0)
        if (this.refused(message.id, message.code, message.detail ?? '')) return
        break
      case 'bye':
        this.leave(message.reason)
        return
      case 'pong':
        serverClock.hear(message.server_ms, message.t, this.lastHeard)
        return
    }
    this.options.events.message(message)
  }

  private enter(message: Welcome): void {
    this.session = message.session
    this.welcomed = true
    this.attempt = 0
    this.setState('open')
    this.options.events.welcome(message)
  }

  /** Returns true when the error needs no further telling. */
  private refused(id: number | null | undefined, code: string, detail: string): boolean {
    const waiting = id === null || id === undefined ? undefined : this.settle(id)
    if (waiting) {
      waiting.reject(new CodedError(code, detail))
      return true
    }
    if (this.welcomed) return false
    if (code === 'expired_token') this.leave('expired')
    else if (FINAL_CODES.has(code)) this.end(code)
    else return false
    return true
  }

  private leave(reason: string): void {
    if (reason !== 'expired') return this.end(reason)
    this.drop()
    this.setState('lost')
    this.options.events.renewToken().then(
      () => this.state === 'lost' && this.connect(),
      () => this.end('expired'),
    )
  }

  private end(code: string): void {
    this.stop()
    this.options.events.ended(code)
  }

  private lose(atOnce = false): void {
    this.drop()
    if (this.state === 'ended') return
    this.setState('lost')
    if (atOnce) return this.connect()
    const base = BACKOFF_MS[Math.min(this.attempt++, BACKOFF_MS.length - 1)] ?? 2000
    const jitter = 1 + BACKOFF_JITTER * ((this.options.random ?? Math.random)() * 2 - 1)
    this.retry = setTimeout(() => this.connect(), this.wait_ms || base * jitter)
    this.wait_ms = 0
  }

  private drop(): void {
    this.stopProbe()
    clearInterval(this.ping)
    clearTimeout(this.retry)
    const socket = this.socket
    this.socket = null
    this.welcomed = false
    this.early = []
    socket?.close()
    for (const id of [...this.pending.keys()]) this.settle(id)?.reject(new CodedError('offline'))
  }

  private settle(id: number): Pending | undefined {
    const waiting = this.pending.get(id)
    if (waiting) clearTimeout(waiting.timer)
    this.pending.delete(id)
    return waiting
  }

  private write(message: object): boolean {
    if (this.socket?.readyState !== 1) return false
    const { type } = message as { type: string }
    if (!this.welcomed && type !== 'hello' && !(type === 'offer' && this.state === 'connecting')) return false
    this.socket.send(JSON.stringify(message))
    return true
  }

  private setState(state: SignalState): void {
    if (state === this.state) return
    if (state === 'lost') this.lostSince = Date.now()
    this.state = state
    this.options.events.state(state)
  }
}

function parse(text: string): ServerMessage | null {
  try {
    const value: unknown = JSON.parse(text)
    const shaped = typeof value === 'object' && value !== null && 'type' in value
    return shaped ? (value as ServerMessage) : null
  } catch {
    return null
  }
}

/** The WebSocket address beside this page. */
export function signalUrl(at: Location = location): string {
  return `${at.protocol === 'https:' ? 'wss' : 'ws'}://${at.host}/ws`
}
