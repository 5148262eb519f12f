/** The teacher's lesson: from the link to the bell, as one reactive state that the views show. */

import { computed, onScopeDispose, reactive, shallowRef } from 'vue'
import { Api } from '../../shared/api'
import { codecFromQuery } from '../../shared/codecs'
import { inspect } from '../../shared/debug'
import { openLine, type Line } from '../../shared/line'
import type { PeerState } from '../../shared/peer'
import { CodedError, type LessonBrief, type LessonUpdate, type ServerMessage } from '../../shared/protocol'
import { Publisher } from '../../shared/publisher'
import { TokenStore } from '../../shared/token'
import { useCapture } from './capture'
import { forget, recall, remember } from './memory'
import { RecordingWatch, type RecordingState } from './recording'

export type Phase = 'loading' | 'no_token' | 'no_lesson' | 'setup' | 'live' | 'ended'

const REJOIN_JITTER_MS = 300
const ASK_AGAIN_MS = 2000

function initialState() {
  return {
    phase: 'loading' as Phase,
    fault: null as string | null,
    lesson: null as LessonBrief | null,
    name: '',
    receivers: 0,
    peer: 'idle' as PeerState,
    recording: 'off' as RecordingState,
    recordingFault: null as string | null,
    recordedBytes: 0,
    since_ms: 0,
    now_ms: Date.now(),
    screenLost: false,
  }
}

export type TeachingState = ReturnType<typeof initialState>

export function useTeaching() {
  const store = new TokenStore()
  const api = new Api(() => store.get())
  const state = reactive(initialState())
  const line = shallowRef<Line | null>(null)
  const watch = new RecordingWatch()
  const lineState = computed(() => line.value?.state ?? null)

  const publisher = new Publisher({
    codec: codecFromQuery(location.search),
    negotiate: (sdp) => (line.value ? line.value.signal.offer(sdp) : Promise.reject(new CodedError('offline'))),
    state(next) {
      state.peer = next
      if (next === 'connected') state.fault = null
    },
    fault: (code) => (state.fault = code),
  })
  const capture = useCapture((source, track) => {
    void publisher.put(source, track).then(tellSources)
  })

  function tellSources(): void {
    if (state.phase !== 'live') return
    line.value?.signal.send({ type: 'sources', ...publisher.sources })
    if (!state.lesson) return
    const { camera, microphone } = capture.wanted
    const screen = publisher.sources.screen || state.screenLost
    if (publisher.sources.screen) state.screenLost = false
    remember({ lesson: state.lesson.id, since_ms: state.since_ms, camera, muted: !microphone, screen })
  }

  function hear(message: ServerMessage): void {
    if (message.type === 'lesson') heardLesson(message)
    else if (message.type === 'rejoin') setTimeout(() => void publisher.link.rebuild(), Math.random() * REJOIN_JITTER_MS)
    else if (message.type === 'error') state.fault = message.code
  }

  function heardLesson(update: LessonUpdate): void {
    if (state.lesson) Object.assign(state.lesson, { title: update.title, code: update.code, state: update.state })
    state.receivers = update.receivers
    state.recordingFault = update.recording.error
    state.recordedBytes = update.recording.bytes
    watch.hear(update.recording, Date.now())
    if (update.state === 'closed') finish('closed')
  }

  function connect(): void {
    line.value = openLine({
      page: 'teacher',
      store,
      api,
      welcome(message) {
        state.fault = null
        if (message.lesson) state.lesson = message.lesson
        if (state.phase !== 'live') return
        publisher.link.welcomed(message.resumed)
        tellSources()
      },
      message: hear,
    })
  }

  /** Finds out which lesson the token is for, for as long as it takes. */
  async function begin(): Promise<void> {
    if (!store.adopt()) return void (state.phase = 'no_token')
    try {
      const me = await api.me()
      state.name = me.name
      state.fault = null
      await enter(me.lesson)
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'internal'
      state.fault = code
      if (code === 'lesson_closed' || code === 'no_such_lesson') state.phase = 'no_lesson'
      else if (code === 'offline' || code === 'internal' || code === 'busy') setTimeout(() => void begin(), ASK_AGAIN_MS)
      else state.phase = 'no_token'
    }
  }

  async function enter(lesson: LessonBrief | null): Promise<void> {
    state.lesson = lesson
    if (!lesson) return void (state.phase = 'no_lesson')
    if (lesson.state === 'closed') return void (state.phase = 'ended')
    const before = recall(lesson.id)
    state.phase = 'setup'
    connect()
    const wanted = { camera: before?.camera ?? true, microphone: true }
    await Promise.all([capture.open('microphone'), wanted.camera ? capture.open('camera') : undefined])
    if (!before) return
    if (before.muted) await capture.toggleMicrophone()
    state.since_ms = before.since_ms
    state.screenLost = before.screen
    start()
  }

  function start(): void {
    state.phase = 'live'
    state.since_ms ||= Date.now()
    if (line.value?.state.signal === 'open') publisher.link.welcomed(false)
    tellSources()
  }

  /** A new lesson begins like an opened link: with nothing left of the one before. */
  async function createLesson(title: string): Promise<void> {
    const made = await api.createLesson(title)
    if (made.token) store.set(made.token)
    forget()
    location.reload()
  }

  function end(): void {
    if (!line.value?.signal.send({ type: 'end_lesson' }) && state.lesson) {
      void api.closeLesson(state.lesson.id).catch(() => (state.fault = 'offline'))
    }
  }

  function finish(code: string): void {
    if (state.phase === 'ended') return
    state.phase = 'ended'
    state.fault = code === 'closed' ? null : code
    if (code === 'closed') forget()
    line.value?.stop()
    publisher.link.close()
    capture.stopAll()
  }

  function useToken(token: string): void {
    store.set(token)
    state.fault = null
    void begin()
  }

  const ticker = setInterval(() => {
    state.now_ms = Date.now()
    state.recording = watch.state(state.now_ms)
    const ended = line.value?.state.ended
    if (ended && state.phase !== 'ended') finish(ended)
  }, 500)
  onScopeDispose(() => clearInterval(ticker))
  inspect(() => publisher.link.pc, () => ({ ...state, sources: publisher.sources }))

  void begin()
  return { state, capture, lineState, publisher, start, end, createLesson, useToken }
}

export type TeachingSession = ReturnType<typeof useTeaching>
