/** A classroom's rung in one word with its cause, for those who look after it. */

import { rungs } from '../locales/rungs'
import type { RungReason } from './protocol'
import { translator } from './text'

const t = translator(rungs)

/** Two digits say what people need to know. */
export function roundRate(kbps: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(kbps)) - 1)
  return Math.round(kbps / unit) * unit
}

/** The word alone. */
export function rungWord(reason: RungReason): string {
  return t(reason)
}

/** Why; empty where nothing keeps it from more. */
export function rungCause(reason: RungReason, kbps: number): string {
  switch (reason) {
    case 'link_slow':
      return kbps > 0 ? t('slow_by', { rate: roundRate(kbps) }) : t('slow')
    case 'link_lossy':
      return t('lossy')
    case 'link_out':
      return t('out')
    case 'data_cap':
      return t('month')
    case 'server_full':
      return t('server')
    case 'choice':
      return t('chosen')
    default:
      return ''
  }
}
