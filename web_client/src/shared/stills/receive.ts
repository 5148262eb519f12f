/** The receiving end of stills: chunks in any order become files; what is here is acknowledged, over any connection. */

import { CHUNK, chunksOf, has, hex, parse, writeHave, type Begin, type StillSource } from './messages'

const HAVE_AFTER_MS = 100
/** Files and beginnings of files that are remembered, so that a known page costs one message. */
const MAX_KEPT = 8

/** A picture that is whole. */
export interface Still {
  /** 0 the lesson's; else the tile that it shows. */
  of: number
  source: StillSource
  hash: string
  width: number
  height: number
  /** When its first byte was announced, by `performance.now()`. */
  since_ms: number
  blob: Blob
}

interface Coming {
  begin: Begin
  file: Uint8Array<ArrayBuffer>
  bitmap: Uint8Array
  missing: number
  since_ms: number
  still: Still | null
}

/** Receives the stills of one lesson, over one channel after another. */
export class StillReceiver {
  private channel: RTCDataChannel | null = null
  private readonly coming = new Map<string, Coming>()
  private numbers = new Map<number, string>()
  private due = new Map<number, ReturnType<typeof setTimeout>>()

  /** `whole` hears of each still that is to be shown now, new or known; `kept` of them are remembered. */
  constructor(
    private readonly whole: (still: Still) => void,
    private readonly kept = MAX_KEPT,
  ) {}

  /** Listen on the channel of a new connection; what is here stays. */
  attach(channel: RTCDataChannel): void {
    this.channel = channel
    this.numbers = new Map()
    for (const timer of this.due.values()) clearTimeout(timer)
    this.due = new Map()
    channel.addEventListener('message', ({ data }) => {
      if (channel === this.channel && data instanceof ArrayBuffer) void this.take(data)
    })
  }

  /** The lesson is over here: forget everything. */
  clear(): void {
    this.channel = null
    this.coming.clear()
    this.numbers.clear()
    for (const timer of this.due.values()) clearTimeout(timer)
    this.due.clear()
  }

  private async take(data: ArrayBuffer): Promise<void> {
    const message = parse(data)
    if (message?.type === 'begin') this.begin(message.begin)
    else if (message?.type === 'chunk') await this.chunk(message.number, message.index, message.data)
  }

  private begin(begin: Begin): void {
    const key = keyOf(begin)
    this.numbers.set(begin.number, key)
    const known = this.coming.get(key)
    // The newest is forgotten last.
    this.coming.delete(key)
    this.coming.set(key, known ?? fresh(begin))
    const [oldest] = this.coming.keys()
    if (this.coming.size > this.kept && oldest !== undefined) this.coming.delete(oldest)
    this.acknowledge(begin.number)
    if (known?.still) this.whole(known.still)
  }

  private async chunk(number: number, index: number, data: Uint8Array): Promise<void> {
    const coming = this.coming.get(this.numbers.get(number) ?? '')
    if (!coming) return
    const place = coming.file.subarray(index * CHUNK, (index + 1) * CHUNK)
    if (place.length !== data.length) return
    if (has(coming.bitmap, index)) return this.acknowledge(number)
    place.set(data)
    coming.bitmap[index >> 3] = (coming.bitmap[index >> 3] ?? 0) | (0x80 >> (index & 7))
    coming.missing--
    if (coming.missing > 0) return this.acknowledgeSoon(number)
    this.acknowledge(number)
    await this.finish(coming)
  }

  private async finish(coming: Coming): Promise<void> {
    const { begin, file } = coming
    if (hex(new Uint8Array(await crypto.subtle.digest('SHA-256', file))) !== begin.hash) {
      this.coming.delete(keyOf(begin))
      return
    }
    const { of, source, hash, width, height } = begin
    const blob = new Blob([file], { type: begin.format })
    coming.still = { of, source, hash, width, height, since_ms: coming.since_ms, blob }
    this.whole(coming.still)
  }

  private acknowledgeSoon(number: number): void {
    if (!this.due.has(number)) this.due.set(number, setTimeout(() => this.acknowledge(number), HAVE_AFTER_MS))
  }

  private acknowledge(number: number): void {
    clearTimeout(this.due.get(number))
    this.due.delete(number)
    const coming = this.coming.get(this.numbers.get(number) ?? '')
    if (coming && this.channel?.readyState === 'open') this.channel.send(writeHave(number, coming.bitmap))
  }
}

/** Two tiles may show the same picture. */
const keyOf = (begin: Begin) => `${begin.of} ${begin.hash}`

function fresh(begin: Begin): Coming {
  const missing = chunksOf(begin.bytes)
  return {
    begin,
    file: new Uint8Array(begin.bytes),
    bitmap: new Uint8Array(Math.ceil(missing / 8)),
    missing,
    since_ms: performance.now(),
    still: null,
  }
}
