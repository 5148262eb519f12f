/** The order of the table's rows. */

import type { TableRow } from '../../shared/protocol'

export type Column =
  | ('name' | 'role' | 'lesson' | 'state' | 'recv_bps' | 'send_bps')
  | ('loss' | 'layer' | 'reason' | 'rtt_ms' | 'last_keyframe_s')

export interface Order {
  by: Column
  down: boolean
}

/** Numbers by size, words by the alphabet of their language; what is unknown comes last either way. */
export function sorted(rows: readonly TableRow[], order: Order): TableRow[] {
  const sign = order.down ? -1 : 1
  return [...rows].sort((one, two) => {
    const a = one[order.by] ?? null
    const b = two[order.by] ?? null
    if (a === null || b === null) return Number(a === null) - Number(b === null)
    const difference = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'zh-CN')
    return sign * difference || one.name.localeCompare(two.name, 'zh-CN')
  })
}

/** A second press on a column turns the order round. */
export function pressed(order: Order, by: Column): Order {
  return { by, down: order.by === by ? !order.down : false }
}
