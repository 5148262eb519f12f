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
const TICK_MS = 50
const KEEP_PLACE_EVERY_MS = 5000
const SAY_FOR_MS = 6000

export type Said = { word: 'skipped'; seconds: number } | { word: 'resumed'; at: number }

function initialState() {
  return {
    phase: 'loading' as 'loading' | 'no_token' | 'no_id' | 'not_ready' | 'ready',
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

export function useWatching() {
  const id = new URLSearchParams(location.search).get('id') ?? ''
  const store = new TokenStore()
  const api = new Api(() => store.get())
  const state = reactive(initialState())
  const manifest = shallowRef<Manifest | null>(null)
  const playback = shallowRef<Playback | null>(null)
  const elements = new Map<string, HTMLMediaElement>()
  let skips: Span[] = []
  let saidUntil = 0
  let stopSession: (() => void) | null = null

  async function load(): Promise<void> {
    if (!id) return void (state.phase = 'no_id')
    if (!store.adopt()) return void (state.phase = 'no_token')
    store.keepFresh(() => api.refresh())
    try {
      stopSession ??= await keepMediaSession(api)
      manifest.value = await api.manifest(id)
      skips = silences(manifest.value)
      state.fault = null
      state.phase = 'ready'
    } catch (error) {
      failed(error instanceof CodedError ? error.code : 'internal')
    }
  }

  function failed(code: string): void {
    state.fault = code
    if (code === 'bad_token' || code === 'expired_token') state.phase = 'no_token'
    else if (code === 'no_such_lesson' || code === 'forbidden') state.phase = 'not_ready'
    if (state.phase !== 'no_token') setTimeout(() => void load(), ASK_AGAIN_MS)
  }

  /** Called once all elements stand; the voice's file leads. */
  function ready(): void {
    const now = manifest.value
    if (!now) return
    const parts = now.tracks.flatMap((track): Part[] => {
      const element = elements.get(track.file)
      return element ? [{ track, element }] : []
    })
    const leader = parts.find((part) => part.track.source === now.voice_in) ?? null
    for (const part of parts) part.element.muted = part.track.source !== now.voice_in && part.track.source !== 'microphone'
    playback.value = new Playback(parts, now.duration_s, leader)
    const place = placeOf(id, now.duration_s)
    if (place) {
      playback.value.seek(place)
      say({ word: 'resumed', at: place })
    }
  }

  function say(said: Said): void {
    state.said = said
    saidUntil = performance.now() + SAY_FOR_MS
  }

  function tick(): void {
    const player = playback.value
    if (!player) return
    const now = performance.now()
    player.tick(now)
    const silence = player.playing ? silenceAt(skips, player.position) : null
    if (silence) {
      player.seek(silence.to)
      say({ word: 'skipped', seconds: Math.round(silence.to - silence.from) })
    }
    if (state.said && now > saidUntil) state.said = null
    state.position = player.position
    state.playing = player.playing
    state.waiting = player.waiting && player.playing
    const active = player.parts.filter((part) => player.isActive(part)).map((part) => part.track.file)
    if (active.join() !== state.active.join()) state.active = active
  }

  function toggle(): void {
    const player = playback.value
    if (!player) return
    if (player.playing) player.pause()
    else void player.play(performance.now()).catch(() => player.pause())
  }

  function seek(to: number): void {
    playback.value?.seek(to)
    if (state.said?.word === 'resumed') state.said = null
  }

  function setRate(rate: number): void {
    state.rate = rate
    if (playback.value) playback.value.rate = rate
  }

  function setVolume(volume: number): void {
    state.volume = Math.min(1, Math.max(0, volume))
    for (const element of elements.values()) element.volume = state.volume
  }

  function useToken(token: string): void {
    store.set(token)
    state.fault = null
    state.phase = 'loading'
    void load()
  }

  const keep = () => playback.value && keepPlace(id, playback.value.position)
  const timers = [setInterval(tick, TICK_MS), setInterval(() => playback.value?.playing && keep(), KEEP_PLACE_EVERY_MS)]
  window.addEventListener('pagehide', keep)
  onScopeDispose(() => {
    timers.forEach(clearInterval)
    window.removeEventListener('pagehide', keep)
    stopSession?.()
  })
  inspect(
    () => null,
    () => ({ ...state, drift_ms: Math.round((playback.value?.drift ?? 0) * 1000) }),
  )
  const of = (source: Track['source']) => computed(() => manifest.value?.tracks.filter((track) => track.source === source) ?? [])
  const tracks = { camera: of('camera'), screen: of('screen'), microphone: of('microphone') }

  void load()
  return { id, state, manifest, elements, tracks, ready, toggle, seek, setRate, setVolume, useToken }
}

export type WatchingSession = ReturnType<typeof useWatching>
