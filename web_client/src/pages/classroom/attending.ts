/** A receiving classroom: from six digits to picture and sound, and back after every break. */

import { computed, onScopeDispose, reactive, shallowReactive, shallowRef } from 'vue'
import { Api } from '../../shared/api'
import { inspect } from '../../shared/debug'
import { openLine, type Line } from '../../shared/line'
import type { PeerState } from '../../shared/peer'
import {
  CodedError,
  type LessonBrief,
  type QualityChoice,
  type Rung,
  type ServerMessage,
  type Slot,
  type Source,
  type Sources,
} from '../../shared/protocol'
import { Receiver } from '../../shared/receiver'
import { TokenStore } from '../../shared/token'
import { useReports } from './reports'
import { DEFAULT_SLOTS, isShown, midOf } from './slots'

export type Phase = 'loading' | 'join' | 'room' | 'ended'

const QUALITY_KEY = 'zd.quality'
const NAME_KEY = 'zd.classroom'
const REJOIN_JITTER_MS = 300
const ASK_AGAIN_MS = 2000
const CHOICES: readonly QualityChoice[] = ['auto', 'high', 'medium', 'low']
/** Codes after which the same token can never work again. */
const SPENT = new Set(['lesson_closed', 'no_such_lesson', 'bad_token', 'expired_token', 'closed', 'expired', 'removed', 'forbidden'])

function rememberedChoice(): QualityChoice {
  const stored = localStorage.getItem(QUALITY_KEY)
  return CHOICES.find((choice) => choice === stored) ?? 'auto'
}

function initialState() {
  return {
    phase: 'loading' as Phase,
    fault: null as string | null,
    ended: null as string | null,
    lesson: null as LessonBrief | null,
    sources: null as Sources | null,
    slots: DEFAULT_SLOTS as readonly Slot[],
    rung: null as Rung | null,
    choice: rememberedChoice(),
    peer: 'idle' as PeerState,
    /** Whether media ever flowed: before that it is joining, not a break. */
    arrived: false,
    broken_s: 0,
    name: localStorage.getItem(NAME_KEY) ?? '',
  }
}

export type AttendingState = ReturnType<typeof initialState>

export function useAttending() {
  const store = new TokenStore(true)
  const api = new Api(() => store.get())
  const state = reactive(initialState())
  const tracks = shallowReactive<Record<string, MediaStreamTrack>>({})
  const line = shallowRef<Line | null>(null)
  let receiver = makeReceiver()
  const reports = useReports({
    pc: () => receiver.link.pc,
    mid: () => midOf(state.slots, isShown(state.slots, state.sources, 'camera') ? 'camera' : 'screen') ?? '',
    send: (report) => void line.value?.signal.send({ type: 'report', ...report }),
  })

  function makeReceiver(): Receiver {
    return new Receiver({
      negotiate: (sdp) => (line.value ? line.value.signal.offer(sdp) : Promise.reject(new CodedError('offline'))),
      track: (mid, track) => (tracks[mid] = track),
      state(next) {
        state.peer = next
        if (next !== 'connected') return
        state.arrived = true
        state.fault = null
      },
      fault: (code) => (state.fault = code),
    })
  }

  function hear(message: ServerMessage): void {
    switch (message.type) {
      case 'lesson':
        state.sources = message.sources
        if (state.lesson) Object.assign(state.lesson, { title: message.title, code: message.code, state: message.state })
        if (message.state === 'closed') leave('closed')
        break
      case 'slots':
        state.slots = message.slots
        break
      case 'rung':
        state.rung = message
        break
      case 'rejoin':
        setTimeout(() => void receiver.link.rebuild(), Math.random() * REJOIN_JITTER_MS)
        break
      case 'error':
        state.fault = message.code
        break
    }
  }

  function enter(): void {
    state.phase = 'room'
    state.ended = null
    line.value = openLine({
      page: 'classroom',
      store,
      api,
      welcome(message) {
        state.fault = null
        state.lesson = message.lesson
        state.name = message.name
        if (message.lesson?.state === 'closed') return leave('closed')
        receiver.link.welcomed(message.resumed)
        if (state.choice !== 'auto') line.value?.signal.send({ type: 'quality', choice: state.choice })
      },
      message: hear,
    })
  }

  /** The session is over here; a spent token leads back to the six digits. */
  function leave(code: string): void {
    if (state.phase !== 'room') return
    line.value?.stop()
    line.value = null
    receiver.link.close()
    receiver = makeReceiver()
    for (const mid of Object.keys(tracks)) delete tracks[mid]
    if (SPENT.has(code)) store.clear()
    const fresh = initialState()
    const { lesson, arrived } = state
    Object.assign(state, fresh, { lesson })
    state.ended = code
    // A token kept from yesterday is no event: the class only needs the next code.
    state.phase = SPENT.has(code) && !arrived ? 'join' : 'ended'
  }

  async function join(code: string, name: string): Promise<void> {
    localStorage.setItem(NAME_KEY, name)
    const { token } = await api.join(code, name)
    store.set(token)
    state.fault = null
    enter()
  }

  /** A link with six digits joins by itself, for as long as it takes. */
  async function joinByLink(code: string, name: string): Promise<void> {
    try {
      await join(code, name)
      history.replaceState(null, '', location.pathname + location.search)
    } catch (error) {
      const fault = error instanceof CodedError ? error.code : 'internal'
      state.fault = fault
      if (fault === 'offline' || fault === 'internal' || fault === 'full') setTimeout(() => void joinByLink(code, name), ASK_AGAIN_MS)
      else state.phase = 'join'
    }
  }

  function begin(defaultName: string): void {
    const code = /[#&]code=(\d{6})/.exec(location.hash)?.[1]
    if (code) void joinByLink(code, state.name || defaultName)
    else if (store.adopt()) enter()
    else state.phase = 'join'
  }

  function choose(choice: QualityChoice): void {
    state.choice = choice
    localStorage.setItem(QUALITY_KEY, choice)
    line.value?.signal.send({ type: 'quality', choice })
  }

  /** A break is what the class sees: no media, whatever the WebSocket does. */
  let brokenSince = 0
  const ticker = setInterval(() => {
    const ended = line.value?.state.ended
    if (ended) return leave(ended)
    const expected = line.value?.state.signal === 'lost' || Object.values(state.sources ?? {}).some(Boolean)
    const broken = state.phase === 'room' && state.arrived && (state.peer !== 'connected' || (expected && !reports.flowing))
    if (!broken) brokenSince = 0
    else brokenSince ||= Date.now()
    state.broken_s = brokenSince ? Math.floor((Date.now() - brokenSince) / 1000) : 0
  }, 250)
  onScopeDispose(() => clearInterval(ticker))
  inspect(
    () => receiver.link.pc,
    () => ({ ...state, signal: line.value?.state.signal ?? null }),
  )

  const trackOf = (source: Source) =>
    computed(() => {
      const mid = midOf(state.slots, source)
      return mid !== null && isShown(state.slots, state.sources, source) ? (tracks[mid] ?? null) : null
    })
  const camera = trackOf('camera')
  const screen = trackOf('screen')
  const sounds = computed(() => Object.values(tracks).filter((track) => track.kind === 'audio'))
  return { state, camera, screen, sounds, begin, join, choose, store }
}

export type AttendingSession = ReturnType<typeof useAttending>
