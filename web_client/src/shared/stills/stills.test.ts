import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { CHUNK, hex, parse, writeBegin, writeChunk, writeHave, type Begin, type Message } from './messages'
import { StillReceiver, type Still } from './receive'
import { StillSender, type Picture } from './send'

/** One end of a channel; what is sent goes to the other end unless `lose` says no. */
class FakeChannel extends EventTarget {
  readyState = 'open'
  other: FakeChannel | null = null
  sent: Message[] = []
  lose: (message: Message) => boolean = () => false

  send(data: ArrayBuffer): void {
    const message = parse(data)
    if (!message) throw new Error('no message of ours')
    this.sent.push(message)
    const { other } = this
    if (other && !this.lose(message)) setTimeout(() => other.dispatchEvent(new MessageEvent('message', { data })), 50)
  }
}

function pair(): { teacher: FakeChannel; server: FakeChannel; open: () => void } {
  const [teacher, server] = [new FakeChannel(), new FakeChannel()]
  teacher.other = server
  server.other = teacher
  return { teacher, server, open: () => teacher.dispatchEvent(new Event('open')) }
}

const asChannel = (fake: FakeChannel) => fake as unknown as RTCDataChannel

async function picture(bytes: number, seed = 1): Promise<Picture> {
  const file = Uint8Array.from({ length: bytes }, (_, at) => (at * 31 + seed) & 255)
  const hash = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', file)))
  return { source: 'screen', format: 'image/webp', width: 1280, height: 720, hash, file }
}

let shown: Still[] = []
let receiver: StillReceiver
let sender: StillSender

function connect(): ReturnType<typeof pair> {
  const made = pair()
  sender.attach(asChannel(made.teacher))
  receiver.attach(asChannel(made.server))
  made.open()
  return made
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  // The browser's own digest takes real time, which these tests do not have.
  vi.spyOn(crypto.subtle, 'digest').mockImplementation((_, data) => {
    const hash = createHash('sha256').update(data as Uint8Array).digest()
    return Promise.resolve(Uint8Array.from(hash).buffer)
  })
  shown = []
  receiver = new StillReceiver((still) => shown.push(still))
  sender = new StillSender()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it('writes messages as the protocol says and reads them back', () => {
  const begin: Begin = {
    number: 7,
    source: 'screen',
    format: 'image/webp',
    width: 1280,
    height: 720,
    bytes: 20000,
    of: 258,
    hash: 'ab'.repeat(32),
  }
  const bytes = new Uint8Array(writeBegin(begin))
  expect(hex(bytes.subarray(0, 18))).toBe('01010007' + '0100' + '0500' + '02d0' + '00004e20' + '00000102')
  expect(bytes.length).toBe(50)
  expect(parse(bytes.buffer)).toEqual({ type: 'begin', begin })
  expect(hex(new Uint8Array(writeChunk(7, 1, new Uint8Array(CHUNK + 2).fill(9))))).toBe('020000070001' + '0909')
  expect(hex(new Uint8Array(writeHave(7, Uint8Array.of(0xe0))))).toBe('03000007e0')
})

it('reads nothing into what is no message of ours', () => {
  const tooLarge = new Uint8Array(writeBegin({ ...parsedBegin(), bytes: 256 * 1024 + 1 }))
  const short = new Uint8Array(writeBegin(parsedBegin())).subarray(0, 46)
  for (const bytes of [[], [9, 0, 0, 1, 2], [1, 1, 0, 7, 1], [2, 0, 0, 7, 0, 0], [...tooLarge], [...short]])
    expect(parse(Uint8Array.from(bytes).buffer)).toBe(null)
})

function parsedBegin(): Begin {
  return { number: 1, source: 'camera', format: 'image/jpeg', width: 1, height: 1, bytes: 1, of: 0, hash: '00'.repeat(32) }
}

it('brings a picture over, each piece once', async () => {
  const { teacher } = connect()
  const sent = await picture(20001)
  sender.put(sent)
  await pass(5000)
  expect(shown.map(({ hash, blob }) => [hash, blob.size, blob.type])).toEqual([[sent.hash, 20001, 'image/webp']])
  expect(teacher.sent.length).toBe(1 + 21)
})

it('brings a picture over though every fourth message is lost on either way', async () => {
  const { teacher, server } = connect()
  let count = 0
  teacher.lose = server.lose = () => ++count % 4 === 0
  sender.put(await picture(30000))
  await pass(20000)
  expect(shown.length).toBe(1)
})

it('goes on where it was cut when a new connection comes', async () => {
  const first = connect()
  const sent = await picture(30000)
  sender.put(sent)
  await pass(500)
  const before = first.teacher.sent.length
  expect(before).toBeGreaterThan(4)
  const second = connect()
  await pass(5000)
  expect(shown.map(({ hash }) => hash)).toEqual([sent.hash])
  expect(second.teacher.sent.length).toBeLessThan(1 + 30 - before + 8)
})

it('rests once its channel has closed, until the next one opens', async () => {
  const { teacher } = connect()
  const sent = await picture(30000)
  sender.put(sent)
  await pass(500)
  teacher.readyState = 'closed'
  teacher.dispatchEvent(new Event('close'))
  await pass(1000)
  expect(vi.getTimerCount()).toBe(0)
  connect()
  await pass(5000)
  expect(shown.map(({ hash }) => hash)).toEqual([sent.hash])
})

it('drops an older page for a newer one, and shows a page again that it knows without its bytes', async () => {
  const { teacher } = connect()
  const [first, second] = [await picture(60000, 1), await picture(3000, 2)]
  sender.put(first)
  await pass(300)
  sender.put(second)
  await pass(3000)
  expect(shown.map(({ hash }) => hash)).toEqual([second.hash])
  sender.put(first)
  await pass(100)
  sender.put(second)
  teacher.sent = []
  await pass(1000)
  expect(shown.map(({ hash }) => hash)).toEqual([second.hash, second.hash])
  expect(teacher.sent.filter(({ type }) => type === 'chunk').length).toBeLessThan(8)
})

it('keeps tiles apart though they show the same picture', async () => {
  const { teacher } = pair()
  const server = teacher.other as FakeChannel
  receiver = new StillReceiver((still) => shown.push(still), 128)
  receiver.attach(asChannel(server))
  const sent = await picture(1500)
  const { file, ...about } = sent
  for (const of of [3, 4]) {
    teacher.send(writeBegin({ ...about, source: 'camera', number: of, of, bytes: file.length }))
    for (const index of [0, 1]) teacher.send(writeChunk(of, index, file))
  }
  await pass(1000)
  expect(shown.map(({ of, hash }) => [of, hash])).toEqual([3, 4].map((of) => [of, sent.hash]))
  teacher.send(writeBegin({ ...about, source: 'camera', number: 5, of: 4, bytes: file.length }))
  await pass(1000)
  expect(shown.at(-1)?.of).toBe(4)
  expect(server.sent.at(-1)).toEqual({ type: 'have', number: 5, bitmap: Uint8Array.of(0xc0) })
})

it('throws away what is not the announced file', async () => {
  connect()
  const sent = await picture(3000)
  sender.put({ ...sent, file: sent.file.map((byte) => byte ^ 1) })
  await pass(2000)
  expect(shown).toEqual([])
})

it('says one thing again in silence, at growing distances', async () => {
  const { teacher } = connect()
  teacher.lose = () => true
  sender.put(await picture(3000))
  await pass(10000)
  expect(teacher.sent.length).toBeGreaterThan(3)
  expect(teacher.sent.length).toBeLessThan(8)
})
