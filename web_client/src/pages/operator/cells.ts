/** What stands in a cell of the operator's table: plain words for the codes of the `table` message. */

import { operator, type OperatorWord } from '../../locales/operator'
import { megabits, percent } from '../../shared/format'
import type { TableRow } from '../../shared/protocol'
import { roundRate, rungWord } from '../../shared/rungs'
import { translator } from '../../shared/text'
import type { Column } from './sorting'

const UNKNOWN = '–'
const LOSSY = 0.05
const t = translator(operator)

const known = (code: string): code is OperatorWord => Object.keys(operator.zh).includes(code)

/** A state as a word; one that this page does not know is shown as it is. */
function stateWord(state: string): string {
  if (state === 'connected') return t('connected_state')
  return known(state) ? t(state) : state
}

/** `m` is the layer that a classroom gets, `lmh` the three that a teacher sends. */
function layerWord(layer: string | null): string {
  if (!layer) return UNKNOWN
  if (layer === 'paused') return t('paused')
  return [...layer].map((letter) => (known(`layer_${letter}`) ? t(`layer_${letter}` as OperatorWord) : letter)).join(' · ')
}

const speed = (bps: number | null) => (bps === null ? UNKNOWN : `${megabits(bps)} Mbit/s`)

/** Why an end gets what it gets: the word, and the rate that is behind it. */
function reasonWords({ reason, estimate_kbps: kbps }: TableRow): string {
  if (!reason) return UNKNOWN
  return reason === 'link_slow' && kbps ? `${rungWord(reason)} ${roundRate(kbps)} kbit/s` : rungWord(reason)
}

/** Whether somebody should look at this end. */
export function isBad(row: TableRow): boolean {
  return (row.loss ?? 0) > LOSSY || row.state === 'away'
}

/** One cell's text; `titles` names lessons by their id. */
export function cell(row: TableRow, column: Column, titles: ReadonlyMap<string, string>): string {
  switch (column) {
    case 'role':
      return t(row.role)
    case 'lesson':
      return titles.get(row.lesson ?? '') ?? row.lesson ?? UNKNOWN
    case 'state':
      return stateWord(row.state)
    case 'recv_bps':
    case 'send_bps':
      return speed(row[column])
    case 'loss':
      return percent(row.loss)
    case 'layer':
      return layerWord(row.layer)
    case 'reason':
      return reasonWords(row)
    case 'rtt_ms':
      return row.rtt_ms === null ? UNKNOWN : `${Math.round(row.rtt_ms)} ms`
    case 'last_keyframe_s':
      return row.last_keyframe_s === null ? UNKNOWN : t('ago', { seconds: row.last_keyframe_s.toFixed(1) })
    default:
      return row.name || t(row.role)
  }
}
