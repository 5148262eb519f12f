/** Messages of the stills' data channel (PROTOCOL.md 1.1), and the channel itself. */

export const LABEL = 'stills'
export const PROTOCOL = 'zhuandi-stills-1'
export const MAX_BYTES = 256 * 1024
/** Of a page's own still. */
export const MAX_OWN_BYTES = 24 * 1024
export const CHUNK = 1000

export type StillSource = 'camera' | 'screen'
export type StillFormat = 'image/webp' | 'image/png' | 'image/jpeg'

/** What a still is, before its bytes; `number` names it on one channel. */
export interface Begin {
  number: number
  source: StillSource
  format: StillFormat
  width: number
  height: number
  bytes: number
  /** Whose it is: 0 the lesson's, or this page's own; else a tile of the wall. */
  of: number
  /** SHA-256 in hexadecimal digits. */
  hash: string
}

export type Message =
  | { type: 'begin'; begin: Begin }
  | { type: 'chunk'; number: number; index: number; data: Uint8Array }
  | { type: 'have'; number: number; bitmap: Uint8Array }

const BEGIN = 1
const CHUNK_TYPE = 2
const HAVE = 3
const BEGIN_LENGTH = 50
const HASH_AT = 18
const CHUNK_HEADER = 6
const HAVE_HEADER = 4
const SOURCES: readonly StillSource[] = ['camera', 'screen']
const FORMATS: readonly StillFormat[] = ['image/webp', 'image/png', 'image/jpeg']

/** The channel on a connection that is being built; it lies before the offer. */
export function openChannel(pc: RTCPeerConnection): RTCDataChannel {
  const channel = pc.createDataChannel(LABEL, { ordered: false, maxRetransmits: 0, protocol: PROTOCOL })
  channel.binaryType = 'arraybuffer'
  return channel
}

export const chunksOf = (bytes: number) => Math.ceil(bytes / CHUNK)

export const has = (bitmap: Uint8Array, index: number) => ((bitmap[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Reads a message; null for what is none of ours. */
export function parse(data: ArrayBuffer): Message | null {
  const view = new DataView(data)
  if (data.byteLength <= HAVE_HEADER) return null
  const number = view.getUint16(2)
  switch (view.getUint8(0)) {
    case BEGIN:
      return data.byteLength === BEGIN_LENGTH ? parseBegin(view, number) : null
    case CHUNK_TYPE:
      if (data.byteLength <= CHUNK_HEADER) return null
      return { type: 'chunk', number, index: view.getUint16(4), data: new Uint8Array(data, CHUNK_HEADER) }
    case HAVE:
      return { type: 'have', number, bitmap: new Uint8Array(data, HAVE_HEADER) }
    default:
      return null
  }
}

function parseBegin(view: DataView, number: number): Message | null {
  const source = SOURCES[view.getUint8(1)]
  const format = FORMATS[view.getUint8(4) - 1]
  const bytes = view.getUint32(10)
  if (!source || !format || bytes < 1 || bytes > MAX_BYTES) return null
  const hash = hex(new Uint8Array(view.buffer, HASH_AT, 32))
  const [width, height, of] = [view.getUint16(6), view.getUint16(8), view.getUint32(14)]
  const begin = { number, source, format, width, height, bytes, of, hash }
  return { type: 'begin', begin }
}

export function writeBegin(begin: Begin): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(BEGIN_LENGTH))
  view.setUint8(0, BEGIN)
  view.setUint8(1, SOURCES.indexOf(begin.source))
  view.setUint16(2, begin.number)
  view.setUint8(4, FORMATS.indexOf(begin.format) + 1)
  view.setUint16(6, begin.width)
  view.setUint16(8, begin.height)
  view.setUint32(10, begin.bytes)
  view.setUint32(14, begin.of)
  for (let at = 0; at < 32; at++) view.setUint8(HASH_AT + at, parseInt(begin.hash.slice(2 * at, 2 * at + 2), 16))
  return view.buffer
}

export function writeChunk(number: number, index: number, file: Uint8Array): ArrayBuffer {
  const data = file.subarray(index * CHUNK, (index + 1) * CHUNK)
  const message = new Uint8Array(CHUNK_HEADER + data.length)
  const view = new DataView(message.buffer)
  view.setUint8(0, CHUNK_TYPE)
  view.setUint16(2, number)
  view.setUint16(4, index)
  message.set(data, CHUNK_HEADER)
  return message.buffer
}

export function writeHave(number: number, bitmap: Uint8Array): ArrayBuffer {
  const message = new Uint8Array(HAVE_HEADER + bitmap.length)
  const view = new DataView(message.buffer)
  view.setUint8(0, HAVE)
  view.setUint16(2, number)
  message.set(bitmap, HAVE_HEADER)
  return message.buffer
}
