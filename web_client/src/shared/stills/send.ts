/** The sending end of stills: one picture at a time to the server, a slide or the page's own; the newest wins, acknowledgements set the pace. */

import { chunksOf, has, parse, writeBegin, writeChunk, type Begin } from './messages'

/** Chunks under way: with an answer at most 100 ms late, about 200 kbit/s on a round trip of 100 ms. */
const WINDOW = 6
const PATIENCE_MS = 700
const MAX_PATIENCE_MS = 3000
/** A chunk is lost when one that was sent so much later has arrived. */
const REORDER_MS = 60
/** Bits of a chunk on the line, with all headers. */
const CHUNK_BITS = 8 * 1100

export type Picture = Omit<Begin, 'number' | 'bytes' | 'of'> & { file: Uint8Array }

type Piece = 'waits' | 'lost' | 'arrived' | UnderWay

interface UnderWay {
  at_ms: number
  again: boolean
}

function isUnderWay(piece: Piece): piece is UnderWay {
  return typeof piece === 'object'
}

/** Sends the stills of one page over one channel after another. */
export class StillSender {
  private channel: RTCDataChannel | null = null
  private picture: Picture | null = null
  private pieces: Piece[] = []
  private number = 0
  private answered = false
  private silences = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private pace: ReturnType<typeof setTimeout> | undefined
  private next_ms = 0
  private limit_bps: number | null = null

  /** No faster than this from now on, so that a voice beside it does not wait; null: as fast as it is acknowledged. */
  limit(bps: number | null): void {
    this.limit_bps = bps
  }

  /** Send over the channel of a new connection; the present picture goes on over it. */
  readonly attach = (channel: RTCDataChannel): void => {
    this.channel = channel
    channel.addEventListener('open', () => channel === this.channel && this.begin())
    channel.addEventListener('close', () => channel === this.channel && this.rest())
    channel.addEventListener('message', ({ data }) => {
      const message = channel === this.channel && data instanceof ArrayBuffer ? parse(data) : null
      if (message?.type === 'have' && message.number === this.number) this.have(message.bitmap)
    })
  }

  /** The server is to have this picture; an older one is forgotten. Null: no picture is shown any more. */
  put(picture: Picture | null): void {
    if (picture !== null && picture.hash === this.picture?.hash) return
    this.picture = picture
    this.begin()
  }

  /** Nothing is due any more: without a channel the next one begins anew. */
  private rest(): void {
    clearTimeout(this.timer)
    clearTimeout(this.pace)
  }

  private begin(): void {
    this.rest()
    this.number = (this.number + 1) & 0xffff
    this.answered = false
    this.silences = 0
    this.pieces = Array.from({ length: chunksOf(this.picture?.file.length ?? 0) }, () => 'waits')
    this.announce()
  }

  private announce(): void {
    const { picture, channel } = this
    if (!picture || channel?.readyState !== 'open') return
    const { file, ...about } = picture
    channel.send(writeBegin({ ...about, number: this.number, bytes: file.length, of: 0 }))
    this.wait()
  }

  private have(bitmap: Uint8Array): void {
    this.answered = true
    this.silences = 0
    let newest_ms = -Infinity
    this.pieces.forEach((piece, index) => {
      if (!has(bitmap, index)) return
      // Of a chunk that was sent twice, nobody knows which one arrived.
      if (isUnderWay(piece) && !piece.again) newest_ms = Math.max(newest_ms, piece.at_ms)
      this.pieces[index] = 'arrived'
    })
    this.pieces = this.pieces.map((piece) => (isUnderWay(piece) && newest_ms - piece.at_ms >= REORDER_MS ? 'lost' : piece))
    this.fill()
  }

  private fill(): void {
    const underWay = this.pieces.filter(isUnderWay).length
    clearTimeout(this.pace)
    if (this.channel?.readyState !== 'open') return
    for (let room = WINDOW - underWay; room > 0; room--) {
      const early_ms = this.next_ms - performance.now()
      if (early_ms > 0) {
        this.pace = setTimeout(() => this.fill(), early_ms)
        break
      }
      const lost = this.pieces.indexOf('lost')
      const index = lost >= 0 ? lost : this.pieces.indexOf('waits')
      if (index < 0) break
      this.sendChunk(index, lost >= 0)
    }
    if (this.pieces.every((piece) => piece === 'arrived')) clearTimeout(this.timer)
    else this.wait()
  }

  private sendChunk(index: number, again: boolean): void {
    if (!this.picture || this.channel?.readyState !== 'open') return
    this.channel.send(writeChunk(this.number, index, this.picture.file))
    const now_ms = performance.now()
    this.pieces[index] = { at_ms: now_ms, again }
    if (this.limit_bps !== null) this.next_ms = Math.max(now_ms, this.next_ms) + (1000 * CHUNK_BITS) / this.limit_bps
  }

  private wait(): void {
    clearTimeout(this.timer)
    if (this.channel?.readyState !== 'open') return
    const patience = Math.min(PATIENCE_MS * 2 ** this.silences, MAX_PATIENCE_MS)
    this.timer = setTimeout(() => this.silence(), patience)
  }

  /** Nothing was heard: say one thing again. */
  private silence(): void {
    this.silences++
    if (!this.answered) return this.announce()
    const oldest = this.pieces.findIndex(isUnderWay)
    if (oldest >= 0) this.sendChunk(oldest, true)
    this.wait()
  }
}
