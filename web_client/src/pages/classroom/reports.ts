/** Looks at the connection's counters: whether media flows, and the report for the operator's table. */

import { onScopeDispose, reactive } from 'vue'
import type { Report } from '../../shared/protocol'
import { REPORT_EVERY_MS, count, report, type Counters } from '../../shared/stats'

const LOOK_EVERY_MS = 1000
const STILL_AFTER_MS = 2500

export interface ReportOptions {
  pc(): RTCPeerConnection | null
  mid(): string
  send(report: Report): void
}

/** Looks once a second, reports once in five. */
export function useReports(options: ReportOptions) {
  const view = reactive({ flowing: false })
  let bytes = 0
  let grewAt = 0
  let reported: Counters | null = null
  let seen: RTCPeerConnection | null = null

  async function look(): Promise<void> {
    const pc = options.pc()
    const now = performance.now()
    if (pc !== seen) reported = null
    seen = pc
    const stats = await pc?.getStats()
    if (!stats) return void (view.flowing = false)
    const counters = count(stats.values(), options.mid(), now)
    if (counters.received_bytes !== bytes) grewAt = now
    bytes = counters.received_bytes
    view.flowing = now - grewAt < STILL_AFTER_MS
    if (!reported) reported = counters
    else if (now - reported.at_ms >= REPORT_EVERY_MS - LOOK_EVERY_MS / 2) {
      options.send(report(reported, counters))
      reported = counters
    }
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
  return view
}
