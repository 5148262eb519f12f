/** What a short uplink costs the lesson, from the browser's own counters: the voice stays, pictures give way. */

import { translator } from '../../shared/text'
import { teacher } from '../../locales/teacher'

/** A line that is only being found out is not short yet. */
export const LASTS_MS = 8000

interface Stat {
  type: string
  kind?: string
  id?: string
  active?: boolean
  qualityLimitationReason?: string
  frameHeight?: number
  framesSent?: number
  nominated?: boolean
  state?: string
  availableOutgoingBitrate?: number
}

/** `height` is the best picture that is still sent, 0 for none; null where the line carries all. */
export interface Shortage {
  kbps: number
  height: number
}

/** Follows one connection, look by look. */
export class ShortageWatch {
  private frames = new Map<string, number>()
  private since_ms: number | null = null

  /** What to tell now. */
  look(stats: Iterable<unknown>, now_ms: number): Shortage | null {
    let [limited, height, bps] = [false, 0, 0]
    const frames = new Map<string, number>()
    for (const stat of stats as Iterable<Stat>) {
      if (stat.type === 'outbound-rtp' && stat.kind === 'video' && stat.active !== false) {
        limited ||= stat.qualityLimitationReason === 'bandwidth'
        frames.set(stat.id ?? '', stat.framesSent ?? 0)
        const moved = (stat.framesSent ?? 0) > (this.frames.get(stat.id ?? '') ?? 0)
        if (moved) height = Math.max(height, stat.frameHeight ?? 0)
      } else if (stat.type === 'candidate-pair' && stat.nominated && stat.state === 'succeeded') {
        bps = Math.max(bps, stat.availableOutgoingBitrate ?? 0)
      }
    }
    this.frames = frames
    if (!limited) this.since_ms = null
    else this.since_ms ??= now_ms
    const lasts = this.since_ms !== null && now_ms - this.since_ms >= LASTS_MS
    return lasts ? { kbps: Math.round(bps / 10_000) * 10, height } : null
  }
}

const t = translator(teacher)

/** One sentence for the teacher. */
export function shortageSentence({ kbps, height }: Shortage): string {
  return height > 0 ? t('shortPicture', { kbps, height }) : t('shortSound', { kbps })
}
