/** Looks at the connection's counters: whether media flows, and the report for the operator's table. */

import { onScopeDispose, reactive } from 'vue'
import type { Report } from '../../shared/protocol'
import { REPORT_EVERY_MS, count, report, type Counters } from '../../shared/stats'
import { Playout, SHALLOW_MS } from './playout'

const LOOK_EVERY_MS = 1000
const STILL_AFTER_MS = 2500

export interface ReportOptions {
  pc(): RTCPeerConnection | null
  mid(): string
  /** Whether this classroom speaks: then answers must come as answers. */
  speaks(): boolean
  send(report: Report): void
  aim(target_ms: number): void
}

/** Looks once a second, reports once in five. */
export function useReports(options: ReportOptions) {
  const view = reactive({ flowing: false, target_ms: SHALLOW_MS })
  let bytes = 0
  let grewAt = 0
  const playout = new Playout()
  let reported: Counters | null = null
  let last: Counters | null = null
  let seen: RTCPeerConnection | null = null

  async function look(): Promise<void> {
    const pc = options.pc()
    const now = performance.now()
    if (pc !== seen) reported = last = null
    seen = pc
    const stats = await pc?.getStats()
    if (!stats) return void (view.flowing = false)
    const counters = count(stats.values(), options.mid(), now)
    if (counters.received_bytes !== bytes) grewAt = now
    bytes = counters.received_bytes
    view.flowing = now - grewAt < STILL_AFTER_MS
    const before_ms = playout.target_ms
    if (last && playout.look(last, counters, options.speaks()) !== before_ms) options.aim(playout.target_ms)
    last = counters
    view.target_ms = playout.target_ms
    if (!reported) reported = counters
    else if (now - reported.at_ms >= REPORT_EVERY_MS - LOOK_EVERY_MS / 2) {
      options.send({ ...report(reported, counters), jitter_target_ms: playout.target_ms })
      reported = counters
    }
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
  return view
}
