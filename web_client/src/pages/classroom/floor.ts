/** Who has the floor: hands, the stage, and what the teacher's wall wants of this classroom (PROTOCOL.md 3.3). What only that needs is loaded then. */

import { computed, onScopeDispose, reactive, shallowRef } from 'vue'
import type { OwnLines } from '../../shared/ownlines'
import type { ClientMessage, OwnWanted, Places, ServerMessage } from '../../shared/protocol'
import { standIn } from '../../shared/standin'
import { STAGE } from '../../shared/places'
import type { OwnPart, OwnView } from './own/part'

/** The lesson comes first; then what makes an answer quick is loaded. */
const AFTER_MS = 4000
const SAY_FOR_MS = 8000
const NOTHING: OwnWanted = { type: 'wanted', still_s: 0, width: 0, level: false, camera: false }

export interface FloorOptions {
  send(message: ClientMessage): boolean
  lines(): OwnLines
  pc(): RTCPeerConnection | null
  /** Whether this school's link is known to carry next to nothing. */
  thin(): boolean
}

function initialState() {
  return {
    places: [null, null] as Places,
    hand: null as number | null,
    hush: false,
    wanted: NOTHING,
    /** Our own questions that wait for an answer. */
    unanswered: 0,
    newest_ms: 0,
    said: null as 'asked' | 'refused' | null,
  }
}

/** One classroom's part in the conversation. */
export class Floor {
  readonly state = reactive(initialState())
  readonly own = shallowRef<OwnPart | null>(null)
  readonly ownView = computed<OwnView | null>(() => this.own.value?.view ?? null)
  /** Our place on stage, or null. */
  readonly place = computed(() => {
    const at = this.state.places.findIndex((speaker) => speaker?.own)
    return at < 0 ? null : (at as 0 | 1)
  })
  readonly busy = computed(() => this.state.places.some(Boolean))
  private channel: RTCDataChannel | null = null
  private loading = false
  private asked_ms = -Infinity
  private later: ReturnType<typeof setTimeout> | undefined
  private saying: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: FloorOptions) {
    onScopeDispose(() => this.clear())
  }

  /** The stills' channel of a new connection carries ours as well. */
  attach(channel: RTCDataChannel): void {
    this.channel = channel
    this.own.value?.attach(channel)
  }

  hear(message: ServerMessage): void {
    switch (message.type) {
      case 'stage':
        this.state.places = message.places
        return this.act()
      case 'wanted':
        this.state.wanted = message
        return this.act()
      case 'hand':
        this.state.hand = message.place
        this.state.hush = message.hush
        return this.act()
      case 'taken_over':
        return standIn(message.token)
      case 'layers':
        return this.own.value?.obey(message.camera)
      case 'questions':
        this.state.unanswered = message.unanswered
        this.state.newest_ms = message.newest_ms
    }
  }

  /** What the last session knew is told anew. */
  welcomed(): void {
    Object.assign(this.state, { hand: null, hush: false })
    this.own.value?.tell()
    clearTimeout(this.later)
    this.later = setTimeout(() => void this.load(), AFTER_MS)
  }

  /** Whether an error was about what was asked here; then it is said here. */
  refused(): boolean {
    if (performance.now() - this.asked_ms > 3000) return false
    this.asked_ms = -Infinity
    this.say('refused')
    return true
  }

  readonly raise = (): void => {
    if (this.place.value !== null || this.state.hush) return
    this.asked_ms = performance.now()
    const up = this.state.hand === null
    // Who asks to speak is asked for the microphone now, and not while everybody waits.
    if (up) void this.load()
    this.options.send({ type: 'hand', up })
  }

  readonly ask = (text: string): boolean => {
    this.asked_ms = performance.now()
    const sent = this.options.send({ type: 'ask', text })
    if (sent) this.say('asked')
    return sent
  }

  /** For an assistant: go on in the teacher's place. */
  readonly takeOver = (): void => {
    this.asked_ms = performance.now()
    this.options.send({ type: 'take_over' })
  }

  readonly mute = (): void => this.own.value?.mute()

  /** Where the others on stage are heard and seen, of the tracks of this connection. */
  tracks(all: Readonly<Record<string, MediaStreamTrack>>, kind: 'audio' | 'video'): [MediaStreamTrack | null, MediaStreamTrack | null] {
    const at = (place: 0 | 1) => {
      const speaker = this.state.places[place]
      return speaker && !speaker.own ? (all[STAGE[kind][place]] ?? null) : null
    }
    return [at(0), at(1)]
  }

  /** The lesson is left. */
  clear(): void {
    clearTimeout(this.later)
    clearTimeout(this.saying)
    this.own.value?.stop()
    this.own.value = null
    this.channel = null
    Object.assign(this.state, initialState())
  }

  private act(): void {
    const { wanted, hand } = this.state
    if (this.place.value !== null || hand !== null || wanted.still_s > 0 || wanted.level) void this.load()
    this.own.value?.want({ ...wanted, hand: hand !== null, stage: this.place.value !== null })
  }

  private async load(): Promise<void> {
    clearTimeout(this.later)
    if (this.own.value || this.loading) return
    this.loading = true
    try {
      const { OwnPart } = await import('./own/part')
      const part = new OwnPart(this.options)
      this.own.value = part
      if (this.channel) part.attach(this.channel)
      this.act()
    } catch {
      // A line that is down now: the next wish tries again.
      this.later = setTimeout(() => void this.load(), AFTER_MS)
    } finally {
      this.loading = false
    }
  }

  private say(what: 'asked' | 'refused'): void {
    clearTimeout(this.saying)
    this.state.said = what
    this.saying = setTimeout(() => (this.state.said = null), SAY_FOR_MS)
  }
}
