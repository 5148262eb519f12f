/** What a short uplink costs the lesson, said in one sentence: the voice stays, pictures give way. */

import { translator } from '../../shared/text'
import { teacher } from '../../locales/teacher'
import type { UplinkState } from '../../shared/onstage/line'

/** A line that is only being found out is not short yet. */
export const LASTS_MS = 8000

/** `height` is the best camera picture that is still sent, 0 for none; `stills`: the slides go out as pictures only. */
export interface Shortage {
  kbps: number
  height: number
  stills: boolean
}

/** Follows one connection, look by look; null where the line carries all. */
export class ShortageWatch {
  private since_ms: number | null = null

  /** `spared`: something is left out so that the voice stays whole; `stills`: the moving screen is. */
  look(line: UplinkState, spared: boolean, stills: boolean, now_ms: number): Shortage | null {
    if (!line.limited) this.since_ms = null
    else this.since_ms ??= now_ms
    const lasts = this.since_ms !== null && now_ms - this.since_ms >= LASTS_MS
    if (!lasts && !spared) return null
    return { kbps: Math.round((line.bps ?? 0) / 10_000) * 10, height: line.cameraHeight, stills }
  }
}

const t = translator(teacher)

/** One sentence for the teacher. */
export function shortageSentence({ kbps, height, stills }: Shortage): string {
  if (height > 0) return t(stills ? 'shortStills' : 'shortPicture', { kbps, height })
  return t(stills ? 'shortStillsOnly' : 'shortSound', { kbps })
}
