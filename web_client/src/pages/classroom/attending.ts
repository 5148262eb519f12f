/** A receiving classroom: from six digits to picture and sound, and back after every break. */

import { computed, onScopeDispose, reactive, shallowReactive, shallowRef } from 'vue'
import { Api } from '../../shared/api'
import { inspect } from '../../shared/debug'
import { openLine, type Line } from '../../shared/line'
import type { PeerState } from '../../shared/peer'
import {
  CodedError,
  type LessonBrief,
  type LessonUpdate,
  type QualityChoice,
  type Role,
  type Rung,
  type ServerMessage,
  type Slot,
  type Source,
  type Sources,
  type Verdict,
  type Welcome,
} from '../../shared/protocol'
import { Receiver } from '../../shared/receiver'
import { StillReceiver, type Still } from '../../shared/stills/receive'
import { TokenStore } from '../../shared/token'
import { Floor } from './floor'
import { useReports } from './reports'
import type { Shown } from './shown'
import { DEFAULT_SLOTS, isShown, midOf } from './slots'

export type Phase = 'loading' | 'join' | 'room' | 'ended'

/** PROTOCOL.md section 1: the microphone and its twin. */
const LESSON_SOUND = ['0', '1']
/** Below this nothing of our own camera moves beside our voice. */
const THIN_KBPS = 200
const QUALITY_KEY = 'zd.quality'
const NAME_KEY = 'zd.classroom'
const REJOIN_JITTER_MS = 300
const ASK_AGAIN_MS = 2000
const LOOK_EVERY_MS = 250
/** Faults that pass by themselves. */
const PASSING = new Set(['offline', 'internal', 'full'])
const CHOICES: readonly QualityChoice[] = ['auto', 'high', 'medium', 'low']
/** Codes after which the same token can never work again. */
const SPENT = new Set(['lesson_closed', 'no_such_lesson', 'bad_token', 'expired_token', 'closed', 'expired', 'removed', 'forbidden', 'left'])

function rememberedChoice(): QualityChoice {
  const stored = localStorage.getItem(QUALITY_KEY)
  return CHOICES.find((choice) => choice === stored) ?? 'auto'
}

function initialState() {
  return {
    phase: 'loading' as Phase,
    fault: null as string | null,
    /** Why there is no place at the moment. */
    verdict: null as Verdict | null,
    ended: null as string | null,
    lesson: null as LessonBrief | null,
    /** Where other machines reach the server's pages. */
    address: '',
    sources: null as Sources | null,
    slots: DEFAULT_SLOTS as readonly Slot[],
    rung: null as Rung | null,
    choice: rememberedChoice(),
    peer: 'idle' as PeerState,
    /** Whether media ever flowed: before that it is joining, not a break. */
    arrived: false,
    broken_s: 0,
    name: localStorage.getItem(NAME_KEY) ?? '',
    role: 'classroom' as Role,
  }
}

/** One classroom's session on this page. */
export class Attending {
  readonly state = reactive(initialState())
  private readonly tracks = shallowReactive<Record<string, MediaStreamTrack>>({})
  readonly camera = computed(() => this.trackOf('camera'))
  readonly screen = computed(() => this.trackOf('screen'))
  /** The lesson's own sound; the stage's has elements of its own. */
  readonly sounds = computed(() => LESSON_SOUND.flatMap((mid) => this.tracks[mid] ?? []))
  /** The newest picture of the slides. */
  readonly still = shallowRef<Still | null>(null)
  private readonly stills = new StillReceiver((still) => still.source === 'screen' && (this.still.value = still))
  private readonly line = shallowRef<Line | null>(null)
  private readonly store = new TokenStore(true)
  private readonly api = new Api(() => this.store.get())
  private receiver = this.makeReceiver()
  /** Hands, the stage, and what we send ourselves. */
  readonly floor = new Floor({
    send: (message) => this.line.value?.signal.send(message) ?? false,
    lines: () => this.receiver.own,
    pc: () => this.pc(),
    thin: () => (this.state.rung?.estimate_kbps || Infinity) < THIN_KBPS,
  })
  readonly stageVoices = computed(() => this.floor.tracks(this.tracks, 'audio'))
  readonly stagePictures = computed(() => this.floor.tracks(this.tracks, 'video'))
  private readonly media = useReports({
    pc: () => this.pc(),
    speaks: () => this.floor.place.value !== null,
    mid: () => midOf(this.state.slots, this.camera.value ? 'camera' : 'screen') ?? '',
    aim: (target_ms) => this.receiver.aim(target_ms),
    send: (report) => void this.line.value?.signal.send({ type: 'report', ...report }),
  })
  private shown: Shown | null = null
  private brokenSince_ms = 0

  constructor() {
    const ticker = setInterval(() => this.look(), LOOK_EVERY_MS)
    onScopeDispose(() => clearInterval(ticker))
    inspect(
      () => this.pc(),
      () => ({ ...this.state, signal: this.line.value?.state.signal ?? null }),
    )
  }

  /** The connection of now. */
  readonly pc = (): RTCPeerConnection | null => this.receiver.link.pc

  begin(defaultName: string): void {
    const code = /[#&]code=(\d{6})/.exec(location.hash)?.[1]
    if (code) void this.joinByLink(code, this.state.name || defaultName)
    else if (this.store.adopt()) this.enter()
    else this.state.phase = 'join'
  }

  readonly join = async (code: string, name: string): Promise<void> => {
    localStorage.setItem(NAME_KEY, name)
    const { token } = await this.api.join(code, name)
    this.store.set(token)
    this.state.fault = null
    this.enter()
  }

  readonly choose = (choice: QualityChoice): void => {
    this.state.choice = choice
    localStorage.setItem(QUALITY_KEY, choice)
    this.line.value?.signal.send({ type: 'quality', choice })
  }

  /** Which pictures the page shows from now on. */
  readonly show = (shown: Shown): void => {
    this.shown = shown
    this.line.value?.signal.send({ type: 'shown', ...shown })
  }

  /** Goes into a lesson with a token that somebody fetched for it, out of whatever went before. */
  attend(token: string): void {
    this.quit()
    this.store.set(token)
    this.enter()
  }

  /** Goes out without a word. */
  quit(): void {
    this.leave('left')
    Object.assign(this.state, { phase: 'join', ended: null, lesson: null })
  }

  /** Goes on where a power cut ended it; false where nothing is known. */
  resume(): boolean {
    if (!this.store.get()) return false
    this.enter()
    return true
  }

  /** Whether the class sees what is sent now. */
  get watching(): boolean {
    return this.state.phase === 'room' && this.state.arrived && this.brokenSince_ms === 0
  }

  /** A link with six digits joins by itself, for as long as it takes. */
  private async joinByLink(code: string, name: string): Promise<void> {
    try {
      await this.join(code, name)
      history.replaceState(null, '', location.pathname + location.search)
    } catch (error) {
      const fault = error instanceof CodedError ? error.code : 'internal'
      this.state.fault = fault
      if (PASSING.has(fault)) setTimeout(() => void this.joinByLink(code, name), ASK_AGAIN_MS)
      else this.state.phase = 'join'
    }
  }

  private enter(): void {
    this.state.phase = 'room'
    this.state.ended = null
    this.line.value = openLine({
      page: 'classroom',
      store: this.store,
      api: this.api,
      welcome: (message) => this.welcomed(message),
      message: (message) => this.hear(message),
    })
    // The offer is made while the line is: it goes out right behind the hello.
    void this.receiver.link.rebuild()
  }

  private welcomed(message: Welcome): void {
    this.state.fault = this.state.verdict = null
    this.state.lesson = message.lesson
    this.state.address = message.address
    this.state.name = message.name
    this.state.role = message.role
    if (message.lesson?.state === 'closed') return this.leave('closed')
    this.receiver.link.welcomed(message.resumed)
    const { choice } = this.state
    if (choice !== 'auto') this.line.value?.signal.send({ type: 'quality', choice })
    if (this.shown) this.show(this.shown)
    this.floor.welcomed()
  }

  private hear(message: ServerMessage): void {
    if (message.type === 'lesson') this.heardLesson(message)
    else if (message.type === 'slots') this.state.slots = message.slots
    else if (message.type === 'rung') this.state.rung = message
    else if (message.type === 'error') {
      if (!this.floor.refused()) Object.assign(this.state, { fault: message.code, verdict: message.verdict ?? null })
    } else if (message.type === 'rejoin') {
      setTimeout(() => void this.receiver.link.rebuild(), Math.random() * REJOIN_JITTER_MS)
    } else this.floor.hear(message)
  }

  private heardLesson({ sources, title, code, state }: LessonUpdate): void {
    this.state.sources = sources
    if (this.state.lesson) Object.assign(this.state.lesson, { title, code, state })
    if (state === 'closed') this.leave('closed')
  }

  /** The session is over here; a spent token leads back to the six digits. */
  private leave(code: string): void {
    if (this.state.phase !== 'room') return
    this.floor.clear()
    this.line.value?.stop()
    this.line.value = null
    this.receiver.link.close()
    this.receiver = this.makeReceiver()
    for (const mid of Object.keys(this.tracks)) delete this.tracks[mid]
    this.stills.clear()
    this.still.value = null
    if (SPENT.has(code)) this.store.clear()
    const { lesson, arrived } = this.state
    Object.assign(this.state, initialState(), { lesson, ended: code })
    // A token kept from yesterday is no event: the class only needs the next code.
    this.state.phase = SPENT.has(code) && !arrived ? 'join' : 'ended'
  }

  private makeReceiver(): Receiver {
    return new Receiver({
      negotiate: (sdp) => this.line.value?.signal.offer(sdp) ?? Promise.reject(new CodedError('offline')),
      target_ms: () => this.media.target_ms,
      track: (mid, track) => (this.tracks[mid] = track),
      channel: (channel) => {
        this.stills.attach(channel)
        this.floor.attach(channel)
      },
      state: (next) => this.peerChanged(next),
      fault: (code) => (this.state.fault = code),
    })
  }

  private peerChanged(next: PeerState): void {
    this.state.peer = next
    if (next !== 'connected') return
    this.state.arrived = true
    this.state.fault = null
  }

  private trackOf(source: Source): MediaStreamTrack | null {
    const { slots, sources } = this.state
    const mid = midOf(slots, source)
    return mid !== null && isShown(slots, sources, source) ? (this.tracks[mid] ?? null) : null
  }

  /** A break is what the class sees: no media, whatever the WebSocket does. */
  private look(): void {
    const line = this.line.value?.state
    if (line?.ended) return this.leave(line.ended)
    const { phase, arrived, peer, sources } = this.state
    const expected = line?.signal === 'lost' || Object.values(sources ?? {}).some(Boolean)
    const broken = phase === 'room' && arrived && (peer !== 'connected' || (expected && !this.media.flowing))
    if (!broken) this.brokenSince_ms = 0
    else this.brokenSince_ms ||= performance.now()
    this.state.broken_s = this.brokenSince_ms ? Math.floor((performance.now() - this.brokenSince_ms) / 1000) : 0
  }
}
