/** The teacher's lesson: from the link to the bell, as one reactive state that the views show. */

import { computed, onScopeDispose, reactive, shallowRef } from 'vue'
import { Api } from '../../shared/api'
import { codecFromQuery } from '../../shared/codecs'
import { inspect } from '../../shared/debug'
import type { Allowed } from '../../shared/layers'
import { openLine, type Line } from '../../shared/line'
import type { PeerState } from '../../shared/peer'
import {
  CodedError,
  type Classrooms,
  type LessonBrief,
  type LessonUpdate,
  type ServerMessage,
  type Source,
  type Welcome,
} from '../../shared/protocol'
import { Publisher } from '../../shared/publisher'
import { sitDown, standsIn } from '../../shared/standin'
import { StillSender } from '../../shared/stills/send'
import { TokenStore } from '../../shared/token'
import { Capture } from './capture'
import { forget, recall, remember } from './memory'
import { RecordingWatch, type RecordingState } from './recording'
import { ScreenStills } from './stills/watch'
import type { Today } from './today'
import { Room } from './wall/room'

export type Phase = 'loading' | 'no_token' | 'no_lesson' | 'setup' | 'live' | 'ended'

const REJOIN_JITTER_MS = 300
const ASK_AGAIN_MS = 2000
const LOOK_EVERY_MS = 500
/** Faults that pass by themselves. */
const PASSING = new Set(['offline', 'internal', 'busy'])

function initialState() {
  return {
    phase: 'loading' as Phase,
    fault: null as string | null,
    lesson: null as LessonBrief | null,
    openByDefault: true,
    address: null as string | null,
    receivers: 0,
    classrooms: null as Classrooms | null,
    peer: 'idle' as PeerState,
    recording: 'off' as RecordingState,
    recordingFault: null as string | null,
    recordedBytes: 0,
    since_ms: 0,
    now_ms: Date.now(),
    screenLost: false,
  }
}

/** One teacher's session on this page. */
export class Teaching {
  readonly state = reactive(initialState())
  readonly capture: Capture
  readonly publisher: Publisher
  readonly room = new Room({
    send: (message) => this.line.value?.signal.send(message) ?? false,
    remove: (sub) => this.api.remove(this.state.lesson?.id ?? '', sub),
  })
  private readonly line = shallowRef<Line | null>(null)
  readonly lineState = computed(() => this.line.value?.state ?? null)
  private readonly store = new TokenStore()
  private readonly api = new Api(() => this.store.get())
  /** Asks for the list of questions. */
  readonly questionsApi: Pick<Api, 'ask'> = this.api
  private readonly watch = new RecordingWatch()
  private readonly sender = new StillSender()
  private readonly stills = new ScreenStills((picture) => this.sender.put(picture))

  constructor() {
    this.publisher = new Publisher({
      codec: codecFromQuery(location.search),
      negotiate: (sdp) => this.line.value?.signal.offer(sdp) ?? Promise.reject(new CodedError('offline')),
      channel: (channel) => {
        this.sender.attach(channel)
        this.room.attach(channel)
      },
      track: this.room.track,
      state: (next) => this.peerChanged(next),
      fault: (code) => (this.state.fault = code),
    })
    this.capture = new Capture((source, track) => void this.put(source, track))
    const ticker = setInterval(() => this.look(), LOOK_EVERY_MS)
    onScopeDispose(() => clearInterval(ticker))
    inspect(
      () => this.publisher.link.pc,
      () => ({ ...this.state, sources: this.publisher.sources }),
    )
    void this.begin()
  }

  readonly start = (): void => {
    this.state.phase = 'live'
    this.state.since_ms ||= Date.now()
    this.watch.begin(Date.now())
    if (this.line.value?.state.signal === 'open') this.publisher.link.welcomed(false)
    this.tellSources()
  }

  readonly end = (): void => {
    const { lesson } = this.state
    if (this.line.value?.signal.send({ type: 'end_lesson' }) || !lesson) return
    void this.api.closeLesson(lesson.id).catch(() => (this.state.fault = 'offline'))
  }

  /** What the uplink has room for. */
  readonly allow = (allowed: Allowed): void => {
    this.publisher.allow(allowed)
    this.sender.limit(allowed.stills_bps)
  }

  /** A new lesson begins like an opened link: with nothing left of the one before. */
  readonly createLesson = async (title: string, open: boolean): Promise<void> => {
    const made = await this.api.createLesson(title, open)
    if (made.token) this.store.set(made.token)
    forget()
    location.reload()
  }

  /** What the timetable has for this teacher today. */
  readonly today = (): Promise<Today> => this.api.ask('GET', '/api/teacher/day')

  /** A lesson of the timetable, opened where it is not open yet. */
  readonly startPlanned = async (lesson: string): Promise<void> => {
    const { token } = await this.api.ask<{ token: string }>('POST', '/api/teacher/start', { lesson })
    this.store.set(token)
    forget()
    location.reload()
  }

  readonly useToken = (token: string): void => {
    this.store.set(token)
    this.state.fault = null
    void this.begin()
  }

  /** Finds out which lesson the token is for, for as long as it takes. */
  private async begin(): Promise<void> {
    if (!this.store.adopt()) return void (this.state.phase = 'no_token')
    try {
      const me = await this.api.me()
      this.state.fault = null
      this.state.openByDefault = me.open_by_default ?? true
      await this.enter(me.lesson)
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'internal'
      this.state.fault = code
      if (code === 'lesson_closed' || code === 'no_such_lesson') this.state.phase = 'no_lesson'
      else if (PASSING.has(code)) setTimeout(() => void this.begin(), ASK_AGAIN_MS)
      else this.state.phase = 'no_token'
    }
  }

  private async enter(lesson: LessonBrief | null): Promise<void> {
    this.state.lesson = lesson
    if (!lesson) return void (this.state.phase = 'no_lesson')
    if (lesson.state === 'closed') return void (this.state.phase = 'ended')
    const before = recall(lesson.id)
    this.state.phase = 'setup'
    this.connect()
    const camera = before?.camera ?? true
    await Promise.all([this.capture.open('microphone'), camera ? this.capture.open('camera') : undefined])
    if (!before) return
    if (before.muted) await this.capture.toggleMicrophone()
    this.state.since_ms = before.since_ms
    this.state.screenLost = before.screen
    this.start()
  }

  private connect(): void {
    this.line.value = openLine({
      page: 'teacher',
      store: this.store,
      api: this.api,
      welcome: (message) => this.welcomed(message),
      message: (message) => this.hear(message),
    })
  }

  private welcomed(message: Welcome): void {
    this.state.fault = null
    this.state.address = message.address
    if (message.lesson) this.state.lesson = message.lesson
    this.room.welcomed()
    if (this.state.phase !== 'live') return
    this.publisher.link.welcomed(message.resumed)
    this.tellSources()
  }

  private hear(message: ServerMessage): void {
    if (message.type === 'lesson') this.heardLesson(message)
    else if (message.type === 'layers') this.publisher.obey(message)
    else if (message.type === 'classrooms') this.state.classrooms = message
    else if (message.type === 'error') {
      if (!this.room.refused(message.code)) this.state.fault = message.code
    } else if (message.type === 'rejoin') {
      setTimeout(() => void this.publisher.link.rebuild(), Math.random() * REJOIN_JITTER_MS)
    } else this.room.hear(message)
  }

  private heardLesson(update: LessonUpdate): void {
    const { title, code, state, recording } = update
    if (this.state.lesson) Object.assign(this.state.lesson, { title, code, state })
    this.state.receivers = update.receivers
    this.state.recordingFault = recording.error
    this.state.recordedBytes = recording.bytes
    this.watch.hear(recording, Date.now())
    if (state === 'closed') this.finish('closed')
  }

  private peerChanged(next: PeerState): void {
    this.state.peer = next
    if (next === 'connected') this.state.fault = null
  }

  private async put(source: Source, track: MediaStreamTrack | null): Promise<void> {
    if (source === 'screen') this.stills.put(track)
    try {
      await this.publisher.put(source, track)
    } catch {
      this.state.fault = 'internal'
    }
    this.tellSources()
  }

  private tellSources(): void {
    if (this.state.phase !== 'live') return
    const sources = this.publisher.sources
    this.line.value?.signal.send({ type: 'sources', ...sources })
    if (!this.state.lesson) return
    if (sources.screen) this.state.screenLost = false
    const { camera, microphone } = this.capture.wanted
    const screen = sources.screen || this.state.screenLost
    remember({ lesson: this.state.lesson.id, since_ms: this.state.since_ms, camera, muted: !microphone, screen })
  }

  private look(): void {
    this.state.now_ms = Date.now()
    this.state.recording = this.watch.state(this.state.now_ms)
    const ended = this.line.value?.state.ended
    if (ended) this.finish(ended)
  }

  private finish(code: string): void {
    if (this.state.phase === 'ended') return
    this.state.phase = 'ended'
    this.state.fault = code === 'closed' ? null : code
    if (code === 'closed') forget()
    this.line.value?.stop()
    this.publisher.link.close()
    this.capture.stopAll()
    if (standsIn()) sitDown()
  }
}
