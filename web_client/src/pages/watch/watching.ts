/** Loading a lesson of the library, patiently, and playing it. */

import { computed, onScopeDispose, reactive, shallowRef } from 'vue'
import { Api, type Manifest, type Track } from '../../shared/api'
import { inspect } from '../../shared/debug'
import { keepMediaSession } from '../../shared/mediasession'
import { CodedError } from '../../shared/protocol'
import { TokenStore } from '../../shared/token'
import { silenceAt, silences, type Span } from './coverage'
import { Playback, type Part } from './playback'
import { keepPlace, placeOf } from './progress'

const ASK_AGAIN_MS = 3000
/** A recording that is still being prepared after so long has probably never been. */
const MISSING_AFTER = 20
const TICK_MS = 50
const KEEP_PLACE_EVERY_MS = 5000
const SAY_FOR_MS = 6000

export type Said = { word: 'skipped'; seconds: number } | { word: 'resumed'; at: number }

function initialState() {
  return {
    phase: 'loading' as 'loading' | 'no_token' | 'no_id' | 'not_ready' | 'missing' | 'ready',
    fault: null as string | null,
    broken: false,
    position: 0,
    playing: false,
    waiting: false,
    rate: 1,
    volume: 1,
    active: [] as string[],
    said: null as Said | null,
  }
}

/** One viewer's session on this page. */
export class Watching {
  readonly id = new URLSearchParams(location.search).get('id') ?? ''
  readonly state = reactive(initialState())
  readonly manifest = shallowRef<Manifest | null>(null)
  readonly elements = new Map<string, HTMLMediaElement>()
  readonly tracks = { camera: this.of('camera'), screen: this.of('screen'), microphone: this.of('microphone') }
  private readonly store = new TokenStore()
  private readonly api = new Api(() => this.store.get())
  private player: Playback | null = null
  private skips: Span[] = []
  private refusals = 0
  private saidUntil_ms = 0
  private stopSession: (() => void) | null = null

  constructor() {
    const keep = () => this.keepPlace()
    const timers = [setInterval(() => this.tick(), TICK_MS), setInterval(() => this.state.playing && keep(), KEEP_PLACE_EVERY_MS)]
    window.addEventListener('pagehide', keep)
    onScopeDispose(() => {
      timers.forEach(clearInterval)
      window.removeEventListener('pagehide', keep)
      this.stopSession?.()
    })
    inspect(
      () => null,
      () => ({ ...this.state, drift_ms: Math.round((this.player?.drift ?? 0) * 1000) }),
    )
    void this.load()
  }

  /** Called once all elements stand; the voice's file leads. */
  ready(): void {
    const lesson = this.manifest.value
    if (!lesson) return
    const parts = lesson.tracks.flatMap((track): Part[] => {
      const element = this.elements.get(track.file)
      return element ? [{ track, element }] : []
    })
    for (const { track, element } of parts) element.muted = track.source !== lesson.voice_in && track.source !== 'microphone'
    const leader = parts.find((part) => part.track.source === lesson.voice_in) ?? null
    this.player = new Playback(parts, lesson.duration_s, leader)
    const place = placeOf(this.id, lesson.duration_s)
    if (!place) return
    this.player.seek(place)
    this.say({ word: 'resumed', at: place })
  }

  readonly toggle = (): void => {
    const player = this.player
    if (player?.playing) player.pause()
    else void player?.play(performance.now()).catch(() => player.pause())
  }

  readonly seek = (to: number): void => {
    this.player?.seek(to)
    if (this.state.said?.word === 'resumed') this.state.said = null
  }

  readonly setRate = (rate: number): void => {
    this.state.rate = rate
    if (this.player) this.player.rate = rate
  }

  readonly setVolume = (volume: number): void => {
    this.state.volume = Math.min(1, Math.max(0, volume))
    for (const element of this.elements.values()) element.volume = this.state.volume
  }

  readonly useToken = (token: string): void => {
    this.store.set(token)
    this.state.fault = null
    this.state.phase = 'loading'
    void this.load()
  }

  private async load(): Promise<void> {
    if (!this.id) return void (this.state.phase = 'no_id')
    if (!this.store.adopt()) return void (this.state.phase = 'no_token')
    this.store.keepFresh(() => this.api.refresh())
    try {
      this.stopSession ??= await keepMediaSession(this.api)
      this.manifest.value = await this.api.manifest(this.id)
      this.skips = silences(this.manifest.value)
      this.state.fault = null
      this.state.phase = 'ready'
    } catch (error) {
      this.failed(error instanceof CodedError ? error.code : 'internal')
    }
  }

  private failed(code: string): void {
    this.state.fault = code
    if (code === 'bad_token' || code === 'expired_token') this.state.phase = 'no_token'
    else if (code === 'no_such_lesson' || code === 'forbidden') this.state.phase = ++this.refusals > MISSING_AFTER ? 'missing' : 'not_ready'
    if (this.state.phase !== 'no_token') setTimeout(() => void this.load(), ASK_AGAIN_MS)
  }

  private say(said: Said): void {
    this.state.said = said
    this.saidUntil_ms = performance.now() + SAY_FOR_MS
  }

  private tick(): void {
    const player = this.player
    if (!player) return
    const now = performance.now()
    player.tick(now)
    const silence = player.playing ? silenceAt(this.skips, player.position) : null
    if (silence) {
      player.seek(silence.to)
      this.say({ word: 'skipped', seconds: Math.round(silence.to - silence.from) })
    }
    if (this.state.said && now > this.saidUntil_ms) this.state.said = null
    this.state.position = player.position
    this.state.playing = player.playing
    this.state.waiting = player.waiting && player.playing
    const active = player.parts.filter((part) => player.isActive(part)).map((part) => part.track.file)
    if (active.join() !== this.state.active.join()) this.state.active = active
  }

  private keepPlace(): void {
    if (this.player) keepPlace(this.id, this.player.position)
  }

  private of(source: Track['source']) {
    return computed(() => this.manifest.value?.tracks.filter((track) => track.source === source) ?? [])
  }
}
