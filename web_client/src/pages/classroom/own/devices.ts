/** This classroom's microphone and camera: opened for as long as they are needed, every refusal as a code. */

import { reactive, shallowReactive } from 'vue'
import { openDevice, watchDevices } from '../../../shared/devices'
import { CodedError, type MicrophoneState } from '../../../shared/protocol'
import type { Need } from './wish'

type Device = keyof Need
const DEVICES: readonly Device[] = ['microphone', 'camera']
const KINDS = { microphone: 'audioinput', camera: 'videoinput' } as const
/** The best of our encodings has 360 lines. */
const HEIGHT = 360
/** A hand may come down and go up again: what is open stays so for a moment. */
const KEEP_MS = 5000

/** Opens, keeps and closes; `changed` hears of every track that comes or goes. */
export class OwnDevices {
  readonly tracks = shallowReactive<Record<Device, MediaStreamTrack | null>>({ microphone: null, camera: null })
  readonly faults = reactive<Partial<Record<Device, string>>>({})
  readonly state = reactive({ muted: false })
  /** What may be opened without a question. */
  readonly allowed: Need = { microphone: false, camera: false }
  private readonly there: Need = { microphone: true, camera: true }
  private need: Need = { microphone: false, camera: false }
  private readonly opening = new Set<Device>()
  private closing: ReturnType<typeof setTimeout> | undefined
  private readonly unwatch: () => void

  constructor(private readonly changed: (device: Device) => void) {
    this.unwatch = watchDevices(() => void this.plugged())
  }

  /** What is there and what is allowed, without asking anybody. */
  async look(): Promise<void> {
    const all = await navigator.mediaDevices?.enumerateDevices().catch(() => [])
    for (const device of DEVICES) {
      this.there[device] = all?.some(({ kind }) => kind === KINDS[device]) ?? false
      const state = await permission(device)
      this.allowed[device] = state === 'granted' || this.tracks[device] !== null
      if (!this.there[device]) this.faults[device] ??= `${device}_absent`
      else if (state === 'denied') this.faults[device] ??= `${device}_denied`
      else if (/_absent$/.test(this.faults[device] ?? '')) delete this.faults[device]
    }
  }

  /** As the teacher sees it; null: nobody has been asked yet. */
  get microphone(): MicrophoneState | null {
    if (this.tracks.microphone) return this.state.muted ? 'muted' : 'on'
    const fault = this.faults.microphone
    if (fault) return fault.endsWith('_denied') ? 'denied' : 'none'
    return this.allowed.microphone ? 'on' : null
  }

  want(need: Need): void {
    this.need = need
    clearTimeout(this.closing)
    for (const device of DEVICES) if (need[device] && !this.tracks[device]) void this.open(device)
    if (DEVICES.some((device) => !need[device] && this.tracks[device])) this.closing = setTimeout(() => this.close(), KEEP_MS)
  }

  readonly mute = (): void => {
    this.state.muted = !this.state.muted
    if (this.tracks.microphone) this.tracks.microphone.enabled = !this.state.muted
    this.changed('microphone')
  }

  stop(): void {
    this.unwatch()
    clearTimeout(this.closing)
    this.need = { microphone: false, camera: false }
    this.close()
  }

  private close(): void {
    for (const device of DEVICES) if (!this.need[device] && this.tracks[device]) this.put(device, null)
  }

  private async open(device: Device): Promise<void> {
    if (this.opening.has(device)) return
    this.opening.add(device)
    try {
      const track = await openDevice(device, null, HEIGHT)
      delete this.faults[device]
      this.allowed[device] = true
      if (device === 'microphone') track.enabled = !this.state.muted
      track.addEventListener('ended', () => this.lost(device, track), { once: true })
      this.put(device, track)
      if (!this.need[device]) this.want(this.need)
    } catch (error) {
      this.faults[device] = error instanceof CodedError ? error.code : `${device}_busy`
      this.changed(device)
    } finally {
      this.opening.delete(device)
    }
  }

  private put(device: Device, track: MediaStreamTrack | null): void {
    this.tracks[device]?.stop()
    this.tracks[device] = track
    this.changed(device)
  }

  private lost(device: Device, track: MediaStreamTrack): void {
    if (this.tracks[device] !== track) return
    this.faults[device] = `${device}_unplugged`
    this.put(device, null)
    void this.plugged()
  }

  private async plugged(): Promise<void> {
    for (const device of DEVICES) if (!this.tracks[device] && !/_denied$/.test(this.faults[device] ?? '')) delete this.faults[device]
    await this.look()
    for (const device of DEVICES) this.changed(device)
    this.want(this.need)
  }
}

async function permission(device: Device): Promise<PermissionState> {
  try {
    return (await navigator.permissions.query({ name: device as PermissionName })).state
  } catch {
    // Firefox does not say: then somebody has to be asked.
    return 'prompt'
  }
}
