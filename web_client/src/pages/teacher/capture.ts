/** The teacher's devices as reactive state: what is open, what was asked for, and what went wrong. */

import { onScopeDispose, reactive, ref, shallowReactive } from 'vue'
import { listDevices, openDevice, openScreen, watchDevices, type Devices } from '../../shared/devices'
import { CodedError, type Source } from '../../shared/protocol'

type Device = 'camera' | 'microphone'

const CHOSEN_KEY = 'zd.devices'
const REOPENABLE = /_(absent|unplugged|busy)$/
const NONE: Devices = { cameras: [], microphones: [] }

interface Chosen {
  camera: string | null
  microphone: string | null
}

function remembered(): Chosen {
  try {
    const stored = JSON.parse(localStorage.getItem(CHOSEN_KEY) ?? '{}') as Partial<Chosen>
    return { camera: null, microphone: null, ...stored }
  } catch {
    return { camera: null, microphone: null }
  }
}

/** Opens and closes devices; `changed` hears of every track that comes or goes. */
export class Capture {
  readonly tracks = shallowReactive<Record<Source, MediaStreamTrack | null>>({ camera: null, microphone: null, screen: null })
  readonly wanted = reactive({ camera: true, microphone: true })
  readonly faults = reactive<Partial<Record<Source, string>>>({})
  readonly devices = ref<Devices>(NONE)
  private readonly chosen = reactive<Chosen>(remembered())

  constructor(private readonly changed: (source: Source, track: MediaStreamTrack | null) => void) {
    const unwatch = watchDevices(() => void this.pluggedOrUnplugged())
    onScopeDispose(() => {
      unwatch()
      this.stopAll()
    })
  }

  async open(source: Device): Promise<void> {
    this.wanted[source] = true
    try {
      this.put(source, await openDevice(source, this.chosen[source]))
    } catch (error) {
      this.put(source, null)
      this.faults[source] = error instanceof CodedError ? error.code : `${source}_busy`
    }
    await this.refresh()
  }

  async choose(source: Device, id: string): Promise<void> {
    this.chosen[source] = id
    localStorage.setItem(CHOSEN_KEY, JSON.stringify(this.chosen))
    await this.open(source)
  }

  readonly toggleCamera = async (): Promise<void> => {
    if (!this.tracks.camera) return this.open('camera')
    this.wanted.camera = false
    this.put('camera', null)
  }

  /** Muting keeps the device open, so that unmuting is instant. */
  readonly toggleMicrophone = async (): Promise<void> => {
    const track = this.tracks.microphone
    if (!track) return this.open('microphone')
    track.enabled = !track.enabled
    this.wanted.microphone = track.enabled
    this.changed('microphone', track)
  }

  readonly shareScreen = async (): Promise<void> => {
    try {
      this.put('screen', await openScreen())
    } catch (error) {
      // A share that runs is kept when the choice of another one was cancelled.
      this.faults.screen = error instanceof CodedError ? error.code : 'screen_busy'
    }
  }

  readonly stopScreen = (): void => {
    delete this.faults.screen
    this.put('screen', null)
  }

  stopAll(): void {
    for (const source of ['camera', 'microphone', 'screen'] as const) this.put(source, null)
  }

  private put(source: Source, track: MediaStreamTrack | null): void {
    this.tracks[source]?.stop()
    this.tracks[source] = track
    if (track) {
      delete this.faults[source]
      track.addEventListener('ended', () => this.lost(source, track), { once: true })
    }
    this.changed(source, track)
  }

  /** The device was pulled, or the browser's own button ended the share. */
  private lost(source: Source, track: MediaStreamTrack): void {
    if (this.tracks[source] !== track) return
    this.put(source, null)
    this.faults[source] = source === 'screen' ? 'screen_ended' : `${source}_unplugged`
  }

  private async refresh(): Promise<void> {
    this.devices.value = await listDevices().catch(() => NONE)
  }

  private async pluggedOrUnplugged(): Promise<void> {
    await this.refresh()
    for (const source of ['camera', 'microphone'] as const) {
      if (!this.tracks[source] && this.wanted[source] && REOPENABLE.test(this.faults[source] ?? '')) await this.open(source)
    }
  }
}
