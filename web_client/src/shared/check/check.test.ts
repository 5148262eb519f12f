import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakePeer } from '../fakepeer'
import { within } from './desk'
import type { Facts } from './facts'
import { onlyBy, risen } from './media'
import { judge, TABLE, verdictOf } from './rules'
import { runCheck } from './run'

interface Finding {
  rule: string
  facts: Partial<Facts>
}
/** The same list of findings is judged by the server's tests. */
const FINDINGS = JSON.parse(
  readFileSync(join(process.cwd(), '../tests/signaling/vectors/check_findings.json'), 'utf8'),
) as Finding[]

describe('the table of verdicts', () => {
  it.each(FINDINGS.map((one) => [one.rule, one.facts] as const))('says %s of %j', (rule, facts) => {
    expect(judge(facts).id).toBe(rule)
  })

  it('has a finding for every rule', () => {
    expect(new Set(FINDINGS.map((one) => one.rule))).toEqual(new Set(TABLE.rules.map((rule) => rule.id)))
  })

  it('fills the numbers in, in both languages', () => {
    const facts = { udp: 'blocked', tcp: 'ok', down_kbps: 900, height: 360, media_port: 7882 } as const
    expect(verdictOf(facts, 'zh').steps[0]).toContain('UDP 端口 7882')
    expect(verdictOf(facts, 'en').steps[0]).toContain('UDP port 7882')
    expect(verdictOf({ down_kbps: 900, height: 360, down_loss: 0.123 }, 'en').cause).toContain('12 %')
  })
})

describe('one way alone', () => {
  const sdp = ['v=0', 'a=candidate:1 1 udp 21 10.0.0.1 7882 typ host', 'a=candidate:2 1 tcp 9 10.0.0.1 7882 typ host tcptype passive', 'a=end-of-candidates', '']
    .join('\r\n')

  it('leaves the other’s candidates out', () => {
    expect(onlyBy('udp', sdp).sdp).not.toContain(' tcp ')
    expect(onlyBy('tcp', sdp).sdp).not.toContain(' udp ')
    expect(onlyBy('tcp', sdp)).toMatchObject({ port: 7882 })
  })

  it('says when there is none', () => {
    expect(onlyBy('tcp', 'v=0\r\na=candidate:1 1 udp 21 ::1 7882 typ host\r\n').port).toBeNull()
  })
})

it('counts what arrived at the server between two looks', () => {
  const leg = { connected: true, height: null, estimate_kbps: 0, rtt_ms: null, up_bytes: 0, up_packets: 0, up_lost: 0 }
  const before = { now_ms: 1000, legs: [leg] }
  const after = { now_ms: 5000, legs: [{ ...leg, up_bytes: 100_000, up_packets: 90, up_lost: 9 }] }
  expect(risen(before, after, 0, 0)).toEqual({ up_kbps: 200, up_loss: 0.1 })
  expect(risen(before, after, 0, 260).up_kbps).toBe(260)
  expect(risen(before, before, 0, 260)).toEqual({ up_kbps: 0, up_loss: 0 })
})

describe('a check', () => {
  const answers: Record<string, () => Response> = {}
  const asked: string[] = []
  const json = (value: object, status = 200, headers = {}) => new Response(JSON.stringify(value), { status, headers })

  class AnsweringSocket {
    onopen: (() => void) | null = null
    onmessage: ((event: { data: string }) => void) | null = null
    onclose: (() => void) | null = null
    constructor() {
      setTimeout(() => this.onopen?.())
    }
    send() {
      setTimeout(() => this.onmessage?.({ data: '{"type":"pong"}' }))
    }
    close() {}
  }

  beforeEach(() => {
    asked.length = 0
    FakePeer.made = []
    Object.assign(answers, {
      'GET /healthz': () => json({ ok: true }),
      'POST /api/checks/begin': () => json({ check: 'c1' }, 201),
      'POST /api/checks/c1/offer': () => json({ leg: 0, sdp: 'v=0\r\n' }, 201),
      'POST /api/checks/c1/end': () => json({}),
      'POST /api/checks': () => json({ code: '7KQ2MD' }, 201),
    })
    vi.stubGlobal('fetch', (path: string, request?: RequestInit) => {
      const name = `${request?.method ?? 'GET'} ${path}`
      asked.push(name)
      const answer = answers[name]
      return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError('network'))
    })
    vi.stubGlobal('WebSocket', AnsweringSocket)
    vi.stubGlobal('RTCPeerConnection', FakePeer)
  })
  afterEach(() => vi.unstubAllGlobals())

  it('says that all media is blocked where no candidate works, and reports it', async () => {
    const result = await runCheck({ token: 't' })
    expect(result).toMatchObject({ rule: 'media_blocked', level: 'not_now', code: '7KQ2MD' })
    expect(result.facts).toMatchObject({ http: 'ok', socket: 'ok', entry: 'ok', udp: 'blocked', tcp: 'blocked' })
    expect(asked).toContain('POST /api/checks/c1/end')
    expect(FakePeer.made.every((peer) => peer.connectionState === 'closed')).toBe(true)
  })

  it('asks for a code where it is not admitted', async () => {
    answers['POST /api/checks/begin'] = () => json({ code: 'forbidden' }, 403)
    expect(await runCheck()).toMatchObject({ rule: 'not_admitted', facts: { entry: 'refused' } })
    expect(FakePeer.made).toEqual([])
  })

  it('waits in line as long as it was told to', async () => {
    let tries = 0
    answers['POST /api/checks/begin'] = () =>
      ++tries < 2 ? json({ code: 'busy' }, 503, { 'Retry-After': '0.01' }) : json({ check: 'c1' }, 201)
    const stages: string[] = []
    expect(await runCheck({ patience_s: 5, stage: (now) => stages.push(now) })).toMatchObject({ rule: 'media_blocked' })
    expect(stages).toContain('waiting')
    tries = -1e9
    expect(await runCheck({ patience_s: 0 })).toMatchObject({ rule: 'busy' })
  })

  it('says what is wrong before the line, and never rejects', async () => {
    delete answers['GET /healthz']
    expect(await runCheck()).toMatchObject({ rule: 'silent', code: null })
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    expect(await runCheck()).toMatchObject({ rule: 'no_network' })
    answers['GET /healthz'] = () => new Response('<html>', { status: 200 })
    expect(await runCheck()).toMatchObject({ rule: 'stranger' })
    answers['GET /healthz'] = () => json({ ok: true })
    delete answers['POST /api/checks/c1/offer']
    expect(await runCheck()).toMatchObject({ rule: 'interrupted' })
    vi.stubGlobal('RTCPeerConnection', undefined)
    expect(await runCheck()).toMatchObject({ rule: 'old_browser' })
    vi.restoreAllMocks()
  })
})

it('gives up waiting', async () => {
  await expect(within(1, new Promise(() => undefined))).rejects.toMatchObject({ code: 'timeout' })
})
