/** The teacher's devices as reactive state: what is open, what was asked for, and what went wrong. */

import { onScopeDispose, reactive, ref, shallowReactive } from 'vue'
import { listDevices, openDevice, openScreen, watchDevices, type Devices } from '../../shared/devices'
import { CodedError, type Source } from '../../shared/protocol'

type Device = 'camera' | 'microphone'

const CHOSEN_KEY = 'zd.devices'
const REOPENABLE = /_(absent|unplugged|busy)$/

interface Chosen {
  camera: string | null
  microphone: string | null
}

function remembered(): Chosen {
  try {
    return { camera: null, microphone: null, ...(JSON.parse(localStorage.getItem(CHOSEN_KEY) ?? '{}') as Partial<Chosen>) }
  } catch {
    return { camera: null, microphone: null }
  }
}

/** Opens and closes devices; `changed` hears of every track that comes or goes. */
export function useCapture(changed: (source: Source, track: MediaStreamTrack | null) => void) {
  const tracks = shallowReactive<Record<Source, MediaStreamTrack | null>>({ camera: null, microphone: null, screen: null })
  const wanted = reactive({ camera: true, microphone: true })
  const chosen = reactive<Chosen>(remembered())
  const devices = ref<Devices>({ cameras: [], microphones: [] })
  const faults = reactive<Partial<Record<Source, string>>>({})

  function put(source: Source, track: MediaStreamTrack | null): void {
    tracks[source]?.stop()
    tracks[source] = track
    if (track) {
      delete faults[source]
      track.addEventListener('ended', () => lost(source, track), { once: true })
    }
    changed(source, track)
  }

  /** The device was pulled, or the browser's own button ended the share. */
  function lost(source: Source, track: MediaStreamTrack): void {
    if (tracks[source] !== track) return
    put(source, null)
    faults[source] = source === 'screen' ? 'screen_ended' : `${source}_unplugged`
  }

  async function open(source: Device): Promise<void> {
    wanted[source] = true
    try {
      put(source, await openDevice(source, chosen[source]))
    } catch (error) {
      put(source, null)
      faults[source] = error instanceof CodedError ? error.code : `${source}_busy`
    }
    await refresh()
  }

  async function refresh(): Promise<void> {
    devices.value = await listDevices().catch(() => ({ cameras: [], microphones: [] }))
  }

  async function choose(source: Device, id: string): Promise<void> {
    chosen[source] = id
    localStorage.setItem(CHOSEN_KEY, JSON.stringify(chosen))
    await open(source)
  }

  async function toggleCamera(): Promise<void> {
    if (!tracks.camera) return open('camera')
    wanted.camera = false
    put('camera', null)
  }

  /** Muting keeps the device open, so that unmuting is instant. */
  async function toggleMicrophone(): Promise<void> {
    const track = tracks.microphone
    if (!track) return open('microphone')
    track.enabled = !track.enabled
    wanted.microphone = track.enabled
    changed('microphone', track)
  }

  async function shareScreen(): Promise<void> {
    try {
      put('screen', await openScreen())
    } catch (error) {
      // A share that runs is kept when the choice of another one was cancelled.
      faults.screen = error instanceof CodedError ? error.code : 'screen_busy'
    }
  }

  function stopScreen(): void {
    delete faults.screen
    put('screen', null)
  }

  async function pluggedOrUnplugged(): Promise<void> {
    await refresh()
    for (const source of ['camera', 'microphone'] as const) {
      if (!tracks[source] && wanted[source] && REOPENABLE.test(faults[source] ?? '')) await open(source)
    }
  }

  function stopAll(): void {
    for (const source of ['camera', 'microphone', 'screen'] as const) put(source, null)
  }

  const unwatch = watchDevices(() => void pluggedOrUnplugged())
  onScopeDispose(() => {
    unwatch()
    stopAll()
  })
  return { tracks, wanted, chosen, devices, faults, open, choose, toggleCamera, toggleMicrophone, shareScreen, stopScreen, stopAll }
}

export type Capture = ReturnType<typeof useCapture>
