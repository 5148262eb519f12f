import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FakePeer, createFake } from './fakepeer'
import { PeerLink, RESTART_AFTER_MS, type PeerState } from './peer'
import { CodedError } from './protocol'

const links: PeerLink[] = []

function setUp(negotiate: (sdp: string) => Promise<string> = () => Promise.resolve('answer')) {
  const states: PeerState[] = []
  const faults: string[] = []
  const asked = vi.fn(negotiate)
  const link = new PeerLink({
    build: (pc) => void pc.addTransceiver('audio', { direction: 'recvonly' }),
    negotiate: asked,
    state: (state) => states.push(state),
    fault: (code) => faults.push(code),
    create: createFake,
  })
  links.push(link)
  return { link, states, faults, asked }
}

const last = () => FakePeer.made[FakePeer.made.length - 1] as FakePeer

async function connected() {
  const made = setUp()
  await made.link.rebuild()
  last().become('connected')
  return made
}

beforeEach(() => {
  vi.useFakeTimers()
  FakePeer.made = []
})
afterEach(() => {
  links.splice(0).forEach((link) => link.close())
  vi.useRealTimers()
})

it('offers what was built and takes the answer', async () => {
  const { asked, states } = await connected()
  expect(asked).toHaveBeenCalledWith('audio recvonly')
  expect(last().remote).toBe('answer')
  expect(states).toEqual(['connecting', 'connected'])
})

it('leaves media that still flows alone after a resumed session', async () => {
  const { link } = await connected()
  link.welcomed(true)
  expect(FakePeer.made.length).toBe(1)
})

it('makes a new connection after a session that was not resumed, and closes the old one', async () => {
  const { link } = await connected()
  link.welcomed(false)
  expect(FakePeer.made.length).toBe(2)
  expect(FakePeer.made[0]?.connectionState).toBe('closed')
})

it('leaves a connection that is being agreed on alone', async () => {
  const answers: ((sdp: string) => void)[] = []
  const { link } = setUp(() => new Promise((resolve) => answers.push(resolve)))
  void link.rebuild()
  link.welcomed(false)
  await vi.advanceTimersByTimeAsync(0)
  link.welcomed(false)
  answers[0]?.('answer')
  await vi.advanceTimersByTimeAsync(0)
  expect(FakePeer.made.map((peer) => peer.remote)).toEqual(['answer'])
})

it('restarts ICE on the same connection after two seconds of silence, not before', async () => {
  const { asked } = await connected()
  last().become('disconnected')
  await vi.advanceTimersByTimeAsync(RESTART_AFTER_MS - 1)
  expect(asked).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(asked).toHaveBeenCalledTimes(2)
  expect(last().offers[1]).toEqual({ iceRestart: true })
  expect(FakePeer.made.length).toBe(1)
})

it('does nothing when a silence ends by itself', async () => {
  const { asked, states } = await connected()
  last().become('disconnected')
  await vi.advanceTimersByTimeAsync(1000)
  last().become('connected')
  await vi.advanceTimersByTimeAsync(20_000)
  expect(asked).toHaveBeenCalledTimes(1)
  expect(states.slice(-2)).toEqual(['interrupted', 'connected'])
})

it('makes a new connection when an ICE restart brings nothing', async () => {
  await connected()
  last().become('disconnected')
  await vi.advanceTimersByTimeAsync(RESTART_AFTER_MS + 8000)
  expect(FakePeer.made.length).toBe(2)
})

it('makes a new connection when the old one failed', async () => {
  await connected()
  last().become('failed')
  await vi.advanceTimersByTimeAsync(300)
  expect(FakePeer.made.length).toBe(2)
})

it('restarts ICE at once when the network changed', async () => {
  const { asked } = await connected()
  window.dispatchEvent(new Event('online'))
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toHaveBeenCalledTimes(2)
  expect(last().offers[1]).toEqual({ iceRestart: true })
})

it('keeps trying for ever while the server is busy', async () => {
  const { asked } = setUp(() => Promise.reject(new CodedError('internal')))
  links[0]?.welcomed(false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked.mock.calls.length).toBeGreaterThan(10)
})

it('waits for the welcome while the line is away', async () => {
  const { asked, link, states } = setUp(() => Promise.reject(new CodedError('offline')))
  await link.rebuild()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveBeenCalledTimes(1)
  expect(states).toEqual(['connecting', 'interrupted'])
})

it.each(['bad_sdp', 'forbidden', 'already_publishing'])('tells %s instead of repeating it', async (code) => {
  const { asked, faults, link } = setUp(() => Promise.reject(new CodedError(code)))
  await link.rebuild()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveBeenCalledTimes(1)
  expect(faults).toEqual([code])
})

it('ignores an answer to a connection that was replaced meanwhile', async () => {
  const answers: ((sdp: string) => void)[] = []
  const { link } = setUp(() => new Promise((resolve) => answers.push(resolve)))
  void link.rebuild()
  await vi.advanceTimersByTimeAsync(0)
  void link.rebuild()
  await vi.advanceTimersByTimeAsync(0)
  answers[0]?.('late')
  answers[1]?.('fresh')
  await vi.advanceTimersByTimeAsync(0)
  expect(FakePeer.made.map((peer) => peer.remote)).toEqual([null, 'fresh'])
})

it('is still after it was closed', async () => {
  const { link, states } = await connected()
  const peer = last()
  link.close()
  peer.become('failed')
  window.dispatchEvent(new Event('online'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakePeer.made.length).toBe(1)
  expect(states[states.length - 1]).toBe('idle')
})
