/** Which slot of the connection shows what: the server says so, and until then the fixed order does. */

import type { Slot, Source, Sources } from '../../shared/protocol'

/** PROTOCOL.md section 1: what each m-line is for before the server binds it. */
export const DEFAULT_SLOTS: readonly Slot[] = [
  { mid: '0', source: 'microphone', codec: null },
  { mid: '2', source: 'camera', codec: null },
  { mid: '3', source: 'screen', codec: null },
]

/** The m-line that carries a source now, or null. */
export function midOf(slots: readonly Slot[], source: Source): string | null {
  return slots.find((slot) => slot.source === source)?.mid ?? null
}

/** Whether a picture is to be shown: bound to a slot and sent by the teacher. */
export function isShown(slots: readonly Slot[], sources: Sources | null, source: Source): boolean {
  return midOf(slots, source) !== null && sources?.[source] !== false
}
