/** Durations as people say them. */

import { kiosk } from '../../../locales/kiosk'
import { translator } from '../../../shared/text'
import { missedSeconds, type Missed } from './missed'

const t = translator(kiosk)

/** 80 -> 1 分 20 秒 */
export function durationWords(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  return minutes > 0 ? t('minutesSeconds', { minutes, seconds: seconds % 60 }) : t('seconds', { seconds })
}

/** How much was missed in all. */
export function spanWords(spans: readonly Missed[]): string {
  return durationWords(missedSeconds(spans))
}
