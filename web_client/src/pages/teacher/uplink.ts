/** How much the teacher's line carries now, what a short one is spared, and what that costs. */

import { onScopeDispose, reactive } from 'vue'
import { megabits } from '../../shared/format'
import { Room, type Allowed } from '../../shared/layers'
import { CAMERA_LAYERS } from '../../shared/simulcast'
import { bitsPerSecond, count } from '../../shared/stats'
import { Economy } from './economy'
import { UplinkReader } from '../../shared/onstage/line'
import { ShortageWatch, type Shortage } from './shortage'

const LOOK_EVERY_MS = 1000

export interface UplinkOptions {
  pc(): RTCPeerConnection | null
  /** Whether a screen is shared. */
  sharing(): boolean
  /** Hears at each look what may be sent. */
  allow(allowed: Allowed): void
}

/** `shown`: megabits per second that leave this computer, as text. */
export function useUplink({ pc, sharing, allow }: UplinkOptions) {
  const view = reactive({ shown: '–', shortage: null as Shortage | null })
  const room = new Room()
  let [reader, watch, economy] = [new UplinkReader(), new ShortageWatch(), new Economy()]
  let seen: RTCPeerConnection | null = null
  let last = { bytes: 0, at_ms: 0 }

  async function look(): Promise<void> {
    const now = performance.now()
    const from = pc()
    if (from !== seen) [reader, watch, economy] = [new UplinkReader(), new ShortageWatch(), new Economy()]
    seen = from
    const stats = await from?.getStats()
    if (!stats) return void Object.assign(view, { shown: '–', shortage: null })
    const line = reader.read(stats.values())
    const spared = economy.look({ bps: line.bps, short: line.limited || line.queued, blind: !line.pictures }, now)
    const stills = sharing() && !spared.screen
    view.shortage = watch.look(line, stills || !spared.voice || spared.camera < CAMERA_LAYERS.length, stills, now)
    allow({ ...spared, recorded: room.look(view.shortage !== null, now) })
    const bytes = count(stats.values(), '', now).sent_bytes
    if (last.at_ms) view.shown = megabits(bitsPerSecond(last.bytes, bytes, now - last.at_ms))
    last = { bytes, at_ms: now }
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
  return view
}
