import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CodedError, type ServerMessage } from './protocol'
import { Signal, signalUrl, type SignalOptions, type SignalState } from './signal'

class FakeSocket {
  static made: FakeSocket[] = []
  readyState = 0
  sent: Record<string, unknown>[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: (() => void) | null = null

  constructor() {
    FakeSocket.made.push(this)
  }

  open(): void {
    this.readyState = 1
    this.onopen?.()
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) })
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }

  close(): void {
    this.readyState = 3
  }

  fail(): void {
    this.readyState = 3
    this.onclose?.()
  }

  types(): unknown[] {
    return this.sent.map((message) => message.type)
  }
}

const WELCOME = { type: 'welcome', session: 's1', resumed: false, role: 'classroom', name: 'A', lesson: null, address: 'https://192.0.2.7:8443' }
const last = () => FakeSocket.made[FakeSocket.made.length - 1] as FakeSocket

function setUp(options: Partial<SignalOptions> = {}) {
  const seen = {
    states: [] as SignalState[],
    messages: [] as ServerMessage[],
    welcomes: 0,
    ended: null as string | null,
    renew: vi.fn(() => Promise.resolve()),
  }
  const signal = new Signal({
    url: 'wss://x/ws',
    page: 'classroom',
    tab: 'tab',
    language: 'zh-CN',
    token: () => 'token',
    socket: () => new FakeSocket() as unknown as WebSocket,
    random: () => 0.5,
    events: {
      welcome: () => void seen.welcomes++,
      message: (message) => seen.messages.push(message),
      state: (state) => seen.states.push(state),
      ended: (code) => (seen.ended = code),
      renewToken: () => seen.renew(),
    },
    ...options,
  })
  signal.start()
  return { signal, seen }
}

function welcomed(options: Partial<SignalOptions> = {}) {
  const made = setUp(options)
  last().open()
  last().say(WELCOME)
  return { ...made, socket: last() }
}

/** Settles the small request that looks for a line. */
let answerProbe: () => void = () => {}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.made = []
  vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => (answerProbe = () => resolve(new Response()))))
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.clearAllTimers()
  vi.useRealTimers()
})

describe('hello', () => {
  it('is the first message and names what is to be resumed', () => {
    setUp({ resume: 'before' })
    last().open()
    expect(last().sent).toEqual([
      { type: 'hello', protocol: 1, token: 'token', page: 'classroom', tab: 'tab', resume: 'before', language: 'zh-CN' },
    ])
  })

  it('says nothing else before the welcome', () => {
    const { signal } = setUp()
    last().open()
    expect(signal.send({ type: 'end_lesson' })).toBe(false)
    expect(last().types()).toEqual(['hello'])
  })

  it('is followed at once by an offer that was made meanwhile', async () => {
    const { signal } = setUp()
    const early = signal.offer('early')
    expect(last().sent).toEqual([])
    last().open()
    const late = signal.offer('late')
    expect(last().types()).toEqual(['hello', 'offer', 'offer'])
    last().say(WELCOME)
    last().say({ type: 'answer', id: 2, sdp: 'second' })
    last().say({ type: 'answer', id: 1, sdp: 'first' })
    expect(await Promise.all([early, late])).toEqual(['first', 'second'])
  })

  it('takes an early offer with it when the line never stood', async () => {
    const { signal } = setUp()
    const early = signal.offer('early')
    last().fail()
    await expect(early).rejects.toMatchObject({ code: 'offline' })
    vi.advanceTimersByTime(0)
    last().open()
    expect(last().types()).toEqual(['hello'])
  })

  it('resumes the session of the last welcome after a break', () => {
    const { socket } = welcomed()
    socket.fail()
    vi.advanceTimersByTime(0)
    last().open()
    expect(last().sent[0]?.resume).toBe('s1')
  })
})

describe('reconnecting', () => {
  it('waits 0, 0.5, 1, 2, 2 … seconds and never gives up', () => {
    welcomed()
    const waits: number[] = []
    for (let round = 0; round < 8; round++) {
      const before = FakeSocket.made.length
      last().fail()
      let waited = 0
      while (FakeSocket.made.length === before) {
        vi.advanceTimersByTime(waited === 0 ? 0 : 100)
        if (FakeSocket.made.length === before) waited += 100
      }
      waits.push(waited)
    }
    expect(waits).toEqual([0, 500, 1000, 2000, 2000, 2000, 2000, 2000])
  })

  it('starts over after a welcome', () => {
    welcomed()
    for (let round = 0; round < 3; round++) {
      last().fail()
      vi.advanceTimersByTime(2000)
    }
    last().open()
    last().say(WELCOME)
    const before = FakeSocket.made.length
    last().fail()
    vi.advanceTimersByTime(0)
    expect(FakeSocket.made.length).toBe(before + 1)
  })

  it('tries at once when the network is back', () => {
    welcomed()
    last().fail()
    vi.advanceTimersByTime(0)
    last().fail()
    const before = FakeSocket.made.length
    window.dispatchEvent(new Event('online'))
    expect(FakeSocket.made.length).toBe(before + 1)
  })

  it('takes a line without a word for five seconds as dead', () => {
    const { seen, socket } = welcomed()
    vi.advanceTimersByTime(4000)
    expect(seen.states).toEqual(['open'])
    expect(socket.types()).toEqual(['hello', 'ping', 'ping'])
    vi.advanceTimersByTime(2500)
    expect(seen.states[1]).toBe('lost')
    expect(FakeSocket.made.length).toBe(2)
  })

  it('tries again at once when an attempt hung, and as soon as anything gets through', async () => {
    const { socket } = welcomed()
    socket.fail()
    vi.advanceTimersByTime(0)
    expect(FakeSocket.made.length).toBe(2)
    vi.advanceTimersByTime(6000)
    expect(FakeSocket.made.length).toBe(3)
    vi.advanceTimersByTime(1000)
    answerProbe()
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.made.length).toBe(4)
    await vi.advanceTimersByTimeAsync(1500)
    answerProbe()
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.made.length, 'once for one attempt').toBe(4)
  })

  it('leaves alone an attempt that is further than the small request', async () => {
    const { socket } = welcomed()
    socket.fail()
    vi.advanceTimersByTime(1000)
    last().open()
    answerProbe()
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.made.length).toBe(2)
  })

  it('stays while pongs come', () => {
    const { seen, socket } = welcomed()
    for (let second = 0; second < 20; second++) {
      vi.advanceTimersByTime(1000)
      socket.say({ type: 'pong', t: 0, server_ms: 0 })
    }
    expect(seen.states).toEqual(['open'])
  })

  it('ignores what a replaced socket still says', () => {
    const { seen, socket } = welcomed()
    socket.fail()
    vi.advanceTimersByTime(0)
    socket.say({ type: 'bye', reason: 'closed' })
    expect(seen.ended).toBeNull()
  })
})

describe('requests', () => {
  it('match answers to offers by id', async () => {
    const { signal, socket } = welcomed()
    const one = signal.offer('offer 1')
    const two = signal.offer('offer 2')
    const [, first, second] = socket.sent as { id: number }[]
    socket.say({ type: 'answer', id: second?.id, sdp: 'answer 2' })
    socket.say({ type: 'answer', id: first?.id, sdp: 'answer 1' })
    expect(await Promise.all([one, two])).toEqual(['answer 1', 'answer 2'])
  })

  it('fail with the code of the error that names them', async () => {
    const { signal, socket, seen } = welcomed()
    const offer = signal.offer('x')
    socket.say({ type: 'error', id: (socket.sent[1] as { id: number }).id, code: 'bad_sdp', detail: 'line 3' })
    await expect(offer).rejects.toEqual(new CodedError('bad_sdp', 'line 3'))
    expect(seen.messages).toEqual([])
  })

  it('fail as offline when the line breaks, and when it is broken', async () => {
    const { signal, socket } = welcomed()
    const offer = signal.offer('x')
    socket.fail()
    await expect(offer).rejects.toMatchObject({ code: 'offline' })
    await expect(signal.offer('y')).rejects.toMatchObject({ code: 'offline' })
  })

  it('fail as timeout when nobody answers', async () => {
    const { signal, socket } = welcomed()
    const outcome = expect(signal.offer('x')).rejects.toMatchObject({ code: 'timeout' })
    for (let second = 0; second < 11; second++) {
      vi.advanceTimersByTime(1000)
      socket.say({ type: 'pong', t: 0, server_ms: 0 })
    }
    await outcome
  })
})

describe('the end', () => {
  it.each(['replaced', 'closed', 'removed'])('bye %s ends it without a new try', (reason) => {
    const { seen, socket } = welcomed()
    socket.say({ type: 'bye', reason })
    socket.fail()
    vi.advanceTimersByTime(60_000)
    expect(seen.ended).toBe(reason)
    expect(FakeSocket.made.length).toBe(1)
  })

  it('bye expired fetches a new token and comes back', async () => {
    const { seen, socket } = welcomed()
    socket.say({ type: 'bye', reason: 'expired' })
    await vi.advanceTimersByTimeAsync(0)
    expect(seen.renew).toHaveBeenCalledOnce()
    expect(seen.ended).toBeNull()
    expect(FakeSocket.made.length).toBe(2)
  })

  it('a token that cannot be renewed ends it', async () => {
    const { seen, socket } = welcomed()
    seen.renew.mockRejectedValue(new CodedError('bad_token'))
    socket.say({ type: 'bye', reason: 'expired' })
    await vi.advanceTimersByTimeAsync(0)
    expect(seen.ended).toBe('expired')
  })

  it.each(['bad_token', 'forbidden', 'no_such_lesson', 'lesson_closed'])('a hello refused as %s is not repeated', (code) => {
    const { seen } = setUp()
    last().open()
    last().say({ type: 'error', id: null, code })
    vi.advanceTimersByTime(60_000)
    expect(seen.ended).toBe(code)
    expect(FakeSocket.made.length).toBe(1)
  })

  it('a hello refused as full is repeated and told', () => {
    const { seen } = setUp()
    last().open()
    last().say({ type: 'error', id: null, code: 'full' })
    last().fail()
    vi.advanceTimersByTime(0)
    expect(seen.messages).toMatchObject([{ code: 'full' }])
    expect(FakeSocket.made.length).toBe(2)
  })

  it('who is told when to come again comes then, and not before', () => {
    setUp()
    last().open()
    last().say({ type: 'error', id: null, code: 'full', verdict: { kind: 'wait', seconds: 7, zh: '', en: '' } })
    last().fail()
    vi.advanceTimersByTime(6900)
    expect(FakeSocket.made.length).toBe(1)
    vi.advanceTimersByTime(200)
    expect(FakeSocket.made.length).toBe(2)
  })
})

it('does not stumble over what is not JSON', () => {
  const { seen, socket } = welcomed()
  for (const text of ['', '{', '[]', 'null', '"x"', '{}']) socket.onmessage?.({ data: text })
  expect(seen.messages).toEqual([])
  expect(seen.states).toEqual(['open'])
})

it('finds the socket beside the page', () => {
  expect(signalUrl({ protocol: 'https:', host: 'h:8443' } as Location)).toBe('wss://h:8443/ws')
  expect(signalUrl({ protocol: 'http:', host: 'localhost:80' } as Location)).toBe('ws://localhost:80/ws')
})
