/** What this classroom gets of a rehearsal, told to the server every five seconds (PROTOCOL.md 4.5). */

import { count, type Counters } from '../../../shared/stats'
import type { Attending } from '../attending'
import type { KioskServer } from './server'

const TELL_EVERY_MS = 5000
/** More than this was made up by the player. */
const BROKEN = 0.1

type Device = 'ok' | 'none' | 'denied' | 'unknown'

export interface RehearsalFacts {
  rehearsal: string
  sound: 'ok' | 'broken' | 'silent'
  slides: 'ok' | 'missing'
  picture: number
  blocked: boolean
  camera: Device
  microphone: Device
}

/** Sound between two looks: nothing came, much was made up, or all is well. */
export function soundBetween(before: Counters, after: Counters): RehearsalFacts['sound'] {
  const samples = after.samples - before.samples
  if (after.packets <= before.packets || samples <= 0) return 'silent'
  return (after.concealed - before.concealed) / samples > BROKEN ? 'broken' : 'ok'
}

/** Whether a device is there, and whether this page may use it. */
export async function deviceState(kind: 'camera' | 'microphone'): Promise<Device> {
  try {
    const wanted = kind === 'camera' ? 'videoinput' : 'audioinput'
    const found = await navigator.mediaDevices.enumerateDevices()
    if (!found.some((one) => one.kind === wanted)) return 'none'
    const { state } = await navigator.permissions.query({ name: kind as PermissionName })
    return state === 'denied' ? 'denied' : 'ok'
  } catch {
    return 'unknown'
  }
}

/** Looks at one rehearsal for as long as this classroom is in it. */
export class Rehearsing {
  private before: Counters | null = null
  private toldAt_ms = 0

  constructor(
    private readonly session: Attending,
    private readonly server: Pick<KioskServer, 'rehearsed'>,
  ) {}

  async look(rehearsal: string): Promise<void> {
    const now_ms = performance.now()
    if (now_ms - this.toldAt_ms < TELL_EVERY_MS) return
    this.toldAt_ms = now_ms
    const stats = await this.session.pc()?.getStats()
    if (!stats) return
    const [before, after] = [this.before, count(stats.values(), '', now_ms)]
    this.before = after
    if (!before) return
    const { still, screen, state } = this.session
    const slides = still.value !== null || (screen.value !== null && (state.rung?.screen ?? 0) > 0)
    const blocked = document.querySelector('[data-testid="sound-prompt"]') !== null
    const [camera, microphone] = await Promise.all([deviceState('camera'), deviceState('microphone')])
    const sound = soundBetween(before, after)
    const facts = { rehearsal, sound, blocked, camera, microphone, picture: state.rung?.camera ?? 0 }
    await this.server.rehearsed({ ...facts, slides: slides ? 'ok' : 'missing' }).catch(() => undefined)
  }
}
