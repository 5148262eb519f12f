/** How much the teacher's line carries now. */

import { onScopeDispose, ref } from 'vue'
import { megabits } from '../../shared/format'
import { bitsPerSecond, count } from '../../shared/stats'

const LOOK_EVERY_MS = 2000

/** Megabits per second that leave this computer, as text. */
export function useUplink(pc: () => RTCPeerConnection | null) {
  const shown = ref('–')
  let last = { bytes: 0, at_ms: 0 }

  async function look(): Promise<void> {
    const now = performance.now()
    const stats = await pc()?.getStats()
    if (!stats) return void (shown.value = '–')
    const bytes = count(stats.values(), '', now).sent_bytes
    if (last.at_ms) shown.value = megabits(bitsPerSecond(last.bytes, bytes, now - last.at_ms))
    last = { bytes, at_ms: now }
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
  return shown
}
