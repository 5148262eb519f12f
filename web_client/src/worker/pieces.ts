/** A recording in the browser's own store: files in pieces, so that a download goes on where it was cut and a range costs one piece. */

/** The store of downloaded recordings. */
export const CLIPS = 'zd-clips'
/** One request; about 16 s at 512 kbit/s. */
export const PIECE_BYTES = 1 << 20

/** What stands for one piece of a file. */
export const pieceKey = (path: string, index: number) => `${path}?piece=${index}`

/** How many pieces a file has. */
export const pieceCount = (total: number) => Math.ceil(total / PIECE_BYTES)

/** First and last byte, both included. */
export interface Range {
  first: number
  last: number
}

/** The bytes of one piece. */
export function pieceRange(index: number, total: number): Range {
  const first = index * PIECE_BYTES
  return { first, last: Math.min(total, first + PIECE_BYTES) - 1 }
}

/** What a `Range` header asks of a file (RFC 9110, 14.1.2); null: nothing of it can be given. All of it without a header. */
export function rangeOf(header: string | null, total: number): Range | null {
  const asked = /^bytes=(\d*)-(\d*)$/.exec(header ?? 'bytes=0-')
  if (!asked || (asked[1] === '' && asked[2] === '')) return { first: 0, last: total - 1 }
  const [, from = '', to = ''] = asked
  const first = from === '' ? Math.max(0, total - Number(to)) : Number(from)
  const last = from === '' || to === '' ? total - 1 : Math.min(total - 1, Number(to))
  return first <= last ? { first, last } : null
}

/** The id of a recording in the address of its list of files; null: another address. */
export const recordingOf = (path: string) => /^\/api\/library\/([\w-]+)$/.exec(path)?.[1] ?? null

/** Recording and file in the address of a file; null: another address. */
export function fileOf(path: string): { recording: string; file: string } | null {
  const found = /^\/media\/([\w-]+)\/([\w.-]+)$/.exec(path)
  return found ? { recording: found[1] ?? '', file: found[2] ?? '' } : null
}
