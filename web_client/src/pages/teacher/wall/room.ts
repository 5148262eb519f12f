/** The teacher's room: the wall of classrooms, who is on stage, hands, and what the teacher may do about it (PROTOCOL.md 3.3). */

import { computed, onScopeDispose, reactive, shallowReactive } from 'vue'
import type { ClientMessage, Places, ServerMessage, Tile, Tiles } from '../../../shared/protocol'
import { PINNED, PINS, STAGE } from '../../../shared/places'
import { StillReceiver, type Still } from '../../../shared/stills/receive'
import { arranged, numbered } from './order'

/** Levels are told twice a second while anybody is heard. */
const SILENT_AFTER_MS = 1500
const TELL_AFTER_MS = 250
const SAY_FOR_MS = 8000
/** A call that was not carried out by then did not arrive. */
const CALL_MS = 4000
/** Stills under way at a time: as many as tiles can be seen. */
const MOST_STILLS = 64
/** What the server's codes mean for something that was done on the wall. */
const REFUSALS = { full: 'full', forbidden: 'not_now', busy: 'busy', bad_message: 'no_such' } as const
export type Refusal = (typeof REFUSALS)[keyof typeof REFUSALS] | 'hushed' | 'offline'
/** An error that comes later is about something else. */
const ANSWERED_MS = 3000

export interface RoomOptions {
  send(message: ClientMessage): boolean
  /** Takes a participant out of the lesson for good. */
  remove(sub: string): Promise<unknown>
}

function initialState() {
  return {
    /** All classrooms, by need. */
    rows: [] as Tile[],
    hush: false,
    locked: false,
    places: [null, null] as Places,
    /** The assistant who teaches now. */
    takenOver: null as string | null,
    pinned: [] as number[],
    /** Whose picture is looked at. */
    lookAs: null as number | null,
    /** Called, and not there yet. */
    calling: [] as number[],
    refusal: null as Refusal | null,
    unanswered: 0,
    /** The list of questions is another one when this is. */
    newest_ms: 0,
    keys: new Map<number, number>(),
    order: [] as number[],
  }
}

/** What one teacher's page knows of its classrooms. */
export class Room {
  readonly state = reactive(initialState())
  readonly stills = shallowReactive(new Map<number, string>())
  readonly levels = shallowReactive(new Map<number, number>())
  readonly tracks = shallowReactive<Record<string, MediaStreamTrack>>({})
  private readonly receiver = new StillReceiver((still) => this.picture(still), MOST_STILLS)
  private held = false
  private acted_ms = -Infinity
  private visible: readonly number[] = []
  private told: ReturnType<typeof setTimeout> | undefined
  private quiet: ReturnType<typeof setTimeout> | undefined
  private said: ReturnType<typeof setTimeout> | undefined

  /** Tiles in the order of the wall. */
  readonly tiles = computed(() => this.state.order.flatMap((id) => this.tile(id) ?? []))
  /** Hands, the first one first. */
  readonly hands = computed(() => this.state.rows.filter(({ hand }) => hand !== null).sort((a, b) => (a.hand ?? 0) - (b.hand ?? 0)))
  readonly onStage = computed(() => this.state.places.some(Boolean))
  readonly voices = computed(() => this.placed(STAGE.audio))
  readonly pictures = computed(() => this.placed(STAGE.video))

  constructor(private readonly options: RoomOptions) {
    onScopeDispose(() => this.clear())
  }

  tile(id: number): Tile | undefined {
    return this.state.rows.find((row) => row.id === id)
  }

  readonly attach = (channel: RTCDataChannel): void => this.receiver.attach(channel)

  /** A slot's track of a new connection. */
  readonly track = (mid: string, track: MediaStreamTrack): void => {
    this.tracks[mid] = track
  }

  /** The live picture of a tile, where it is pinned. */
  pinnedTrack(id: number): MediaStreamTrack | null {
    const mid = PINNED[this.state.pinned.indexOf(id)]
    const taken = mid === PINNED[1] && this.state.lookAs !== null
    return mid && !taken ? (this.tracks[mid] ?? null) : null
  }

  /** What the classroom sees that `lookAs` names. */
  get lookedAt(): MediaStreamTrack | null {
    return this.state.lookAs === null ? null : (this.tracks[PINNED[1]] ?? null)
  }

  hear(message: ServerMessage): void {
    switch (message.type) {
      case 'tiles':
        return this.arrange(message)
      case 'levels':
        return this.heardLevels(message.rows)
      case 'stage':
        this.state.places = message.places
        this.state.takenOver = message.taken_over ?? null
        this.state.calling = this.state.calling.filter((id) => !message.places.some((place) => place?.id === id))
        return
      case 'questions':
        this.state.unanswered = message.unanswered
        this.state.newest_ms = message.newest_ms
    }
  }

  /** Whether an error of the server was about the room; then it is said here, for a moment. */
  refused(code: string): boolean {
    const refusal = performance.now() - this.acted_ms < ANSWERED_MS ? REFUSALS[code as keyof typeof REFUSALS] : undefined
    if (!refusal) return false
    this.acted_ms = -Infinity
    this.state.calling = []
    this.say(refusal)
    return true
  }

  /** The server may not remember what this page shows. */
  welcomed(): void {
    this.tell()
    if (this.state.lookAs !== null) this.options.send({ type: 'look_as', id: this.state.lookAs })
  }

  /** Calls a classroom, or ends it where it is on stage. */
  readonly toggle = (id: number): void => (this.state.places.some((place) => place?.id === id) ? this.end(id) : this.call(id))

  readonly call = (id: number): void => {
    if (this.state.hush) return this.say('hushed')
    if (this.state.places.every(Boolean)) return this.say('full')
    if (!this.send({ type: 'stage', id, on: true })) return
    this.state.calling.push(id)
    setTimeout(() => (this.state.calling = this.state.calling.filter((one) => one !== id)), CALL_MS)
  }

  readonly end = (id: number): void => void this.send({ type: 'stage', id, on: false })

  readonly endAll = (): void => {
    for (const place of this.state.places) if (place) this.end(place.id)
  }

  /** The tile that a key stands for. */
  readonly press = (key: number): void => {
    const id = this.state.keys.get(key)
    if (id !== undefined) this.toggle(id)
  }

  /** One more picture live; the oldest one makes room. */
  readonly pin = (id: number): void => {
    const { pinned } = this.state
    this.state.pinned = pinned.includes(id) ? pinned.filter((one) => one !== id) : [...pinned, id].slice(-PINS)
    this.tell()
    this.sort()
  }

  readonly hush = (): void => void this.send({ type: 'hush', on: !this.state.hush })
  readonly lock = (): void => void this.send({ type: 'lock', on: !this.state.locked })

  /** Who stands in lets go, or is made to by the teacher. */
  readonly giveBack = (): void => void this.send({ type: 'give_back' })

  readonly look = (id: number | null): void => {
    if (this.send({ type: 'look_as', id })) this.state.lookAs = id
  }

  readonly answer = (question: number, text: string): boolean => this.send({ type: 'answer', question, text })

  readonly remove = async (id: number): Promise<void> => {
    const tile = this.tile(id)
    if (tile) await this.options.remove(tile.sub).catch(() => this.say('offline'))
  }

  /** Which tiles are on the screen. */
  readonly show = (visible: readonly number[]): void => {
    if (visible.join() === this.visible.join()) return
    this.visible = visible
    clearTimeout(this.told)
    this.told = setTimeout(() => this.tell(), TELL_AFTER_MS)
  }

  /** Nothing changes places while a hand is over the wall. */
  readonly hold = (held: boolean): void => {
    this.held = held
    if (!held) this.sort()
  }

  private placed(mids: readonly [string, string]): [MediaStreamTrack | null, MediaStreamTrack | null] {
    const at = (place: 0 | 1) => (this.state.places[place] ? (this.tracks[mids[place]] ?? null) : null)
    return [at(0), at(1)]
  }

  private arrange({ rows: changed, order, hush, locked }: Tiles): void {
    const known = new Map([...this.state.rows, ...changed].map((row) => [row.id, row]))
    const rows = order.flatMap((id) => known.get(id) ?? [])
    Object.assign(this.state, { rows, hush, locked })
    const gone = (id: number) => !order.includes(id)
    for (const id of [...this.stills.keys()].filter(gone)) this.forget(id)
    if (this.state.pinned.some(gone)) {
      this.state.pinned = this.state.pinned.filter((id) => !gone(id))
      this.tell()
    }
    if (this.state.lookAs !== null && gone(this.state.lookAs)) this.look(null)
    this.sort()
  }

  private sort(): void {
    const { state } = this
    const here = state.rows.map(({ id }) => id)
    state.order = arranged(state.order, here, state.pinned, this.held)
    state.keys = numbered(state.keys, state.order)
  }

  private heardLevels(rows: readonly (readonly [number, number])[]): void {
    this.levels.clear()
    for (const [id, level] of rows) this.levels.set(id, level)
    clearTimeout(this.quiet)
    this.quiet = setTimeout(() => this.levels.clear(), SILENT_AFTER_MS)
  }

  private picture({ of, source, blob }: Still): void {
    if (of === 0 || source !== 'camera') return
    this.forget(of)
    this.stills.set(of, URL.createObjectURL(blob))
  }

  private forget(id: number): void {
    const url = this.stills.get(id)
    if (url) URL.revokeObjectURL(url)
    this.stills.delete(id)
  }

  private tell(): void {
    this.options.send({ type: 'wall', visible: this.visible, pinned: this.state.pinned })
  }

  private send(message: ClientMessage): boolean {
    this.acted_ms = performance.now()
    const sent = this.options.send(message)
    if (!sent) this.say('offline')
    return sent
  }

  private say(refusal: Refusal): void {
    clearTimeout(this.said)
    this.state.refusal = refusal
    this.said = setTimeout(() => (this.state.refusal = null), SAY_FOR_MS)
  }

  private clear(): void {
    for (const timer of [this.told, this.quiet, this.said]) clearTimeout(timer)
    for (const id of [...this.stills.keys()]) this.forget(id)
    this.receiver.clear()
  }
}
