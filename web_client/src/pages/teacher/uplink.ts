/** How much the teacher's line carries now, and what a short one costs. */

import { onScopeDispose, reactive } from 'vue'
import { megabits } from '../../shared/format'
import { Room } from '../../shared/layers'
import { bitsPerSecond, count } from '../../shared/stats'
import { ShortageWatch, type Shortage } from './shortage'

const LOOK_EVERY_MS = 2000

/** `shown`: megabits per second that leave this computer, as text; `spare` hears whether there is room for more. */
export function useUplink(pc: () => RTCPeerConnection | null, spare: (room: boolean) => void) {
  const view = reactive({ shown: '–', shortage: null as Shortage | null })
  let watch = new ShortageWatch()
  const room = new Room()
  let seen: RTCPeerConnection | null = null
  let last = { bytes: 0, at_ms: 0 }

  async function look(): Promise<void> {
    const now = performance.now()
    const from = pc()
    if (from !== seen) watch = new ShortageWatch()
    seen = from
    const stats = await from?.getStats()
    if (!stats) return void Object.assign(view, { shown: '–', shortage: null })
    view.shortage = watch.look(stats.values(), now)
    spare(room.look(view.shortage !== null, now))
    const bytes = count(stats.values(), '', now).sent_bytes
    if (last.at_ms) view.shown = megabits(bitsPerSecond(last.bytes, bytes, now - last.at_ms))
    last = { bytes, at_ms: now }
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
  return view
}
