/** What the browser counted since the last look, as the `report` of PROTOCOL.md section 3. */

import type { Report } from './protocol'

export const REPORT_EVERY_MS = 5000

/** The counters that the report is made of, cumulative. */
export interface Counters {
  at_ms: number
  concealed: number
  samples: number
  /** Packets of sound that came, that never came, and requests to send some again. */
  packets: number
  lost: number
  asked: number
  frozen_s: number
  height: number | null
  fps: number | null
  rtt_ms: number | null
  sent_bytes: number
  received_bytes: number
}

interface Stat {
  type: string
  kind?: string
  mid?: string
  concealedSamples?: number
  silentConcealedSamples?: number
  totalSamplesReceived?: number
  packetsReceived?: number
  packetsLost?: number
  nackCount?: number
  totalFreezesDuration?: number
  frameHeight?: number
  framesPerSecond?: number
  nominated?: boolean
  state?: string
  currentRoundTripTime?: number
  bytesSent?: number
  bytesReceived?: number
}

const EMPTY: Counters = {
  at_ms: 0,
  concealed: 0,
  samples: 0,
  packets: 0,
  lost: 0,
  asked: 0,
  frozen_s: 0,
  height: null,
  fps: null,
  rtt_ms: null,
  sent_bytes: 0,
  received_bytes: 0,
}

/** Adds up one getStats() result; `videoMid` names the picture that the class looks at. */
export function count(stats: Iterable<unknown>, videoMid: string, at_ms: number): Counters {
  const sum: Counters = { ...EMPTY, at_ms }
  for (const stat of stats as Iterable<Stat>) {
    if (stat.type === 'inbound-rtp' && stat.kind === 'audio') {
      // Silence that fills a muted microphone is no fault.
      sum.concealed += (stat.concealedSamples ?? 0) - (stat.silentConcealedSamples ?? 0)
      sum.samples += stat.totalSamplesReceived ?? 0
      sum.packets += stat.packetsReceived ?? 0
      sum.lost += stat.packetsLost ?? 0
      sum.asked += stat.nackCount ?? 0
    } else if (stat.type === 'inbound-rtp' && stat.mid === videoMid) {
      sum.frozen_s += stat.totalFreezesDuration ?? 0
      sum.height = stat.frameHeight ?? null
      sum.fps = stat.framesPerSecond ?? null
    } else if (stat.type === 'candidate-pair' && stat.nominated && stat.state === 'succeeded') {
      if (stat.currentRoundTripTime !== undefined) sum.rtt_ms = Math.round(stat.currentRoundTripTime * 1000)
      sum.sent_bytes += stat.bytesSent ?? 0
      sum.received_bytes += stat.bytesReceived ?? 0
    }
  }
  return sum
}

/** The ratio of two counters' growth; null where nothing was counted or a new connection began. */
function ratio(part: number, whole: number): number | null {
  return whole > 0 && part >= 0 ? Math.min(1, part / whole) : null
}

/** The report over the time between two looks. */
export function report(before: Counters, after: Counters): Omit<Report, 'jitter_target_ms'> {
  const elapsed_s = (after.at_ms - before.at_ms) / 1000
  return {
    audio_concealed_ratio: ratio(after.concealed - before.concealed, after.samples - before.samples),
    freeze_ratio: after.height === null ? null : ratio(after.frozen_s - before.frozen_s, elapsed_s),
    height: after.height,
    fps: after.fps,
    rtt_ms: after.rtt_ms,
  }
}

/** Bits per second between two looks at a byte counter. */
export function bitsPerSecond(bytesBefore: number, bytesAfter: number, elapsed_ms: number): number {
  return elapsed_ms > 0 && bytesAfter >= bytesBefore ? ((bytesAfter - bytesBefore) * 8000) / elapsed_ms : 0
}
