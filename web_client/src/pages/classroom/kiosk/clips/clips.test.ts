import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stored } from '../../../../worker/clips'
import { PIECE_BYTES, rangeOf } from '../../../../worker/pieces'
import { at, dayWith, lessonAt } from '../fixtures'
import { inWindow, nextClip, spentIn, wanted } from './plan'
import { download, forgetAllBut, storedClips } from './store'

const NONE: ReadonlySet<string> = new Set()
const clip = (recording: string, megabytes: number, use: number) => ({ recording, bytes: megabytes * 1e6, use_ms: at(use) })

describe('which recording comes next', () => {
  const clips = [clip('later', 10, 600), clip('soon', 40, 60), clip('huge', 900, 30)]
  const spent = { month: '2026-11', bytes: 0 }
  const day = (change = {}) => dayWith({ clips, policy: { ...dayWith().policy, ...change } })

  it('is the soonest needed that the budget of the month allows', () => {
    expect(nextClip(day(), NONE, spent, at(0))).toBe('soon')
    expect(nextClip(day(), new Set(['soon']), spent, at(0))).toBe('later')
    expect(nextClip(day(), NONE, { month: '2026-11', bytes: 470e6 }, at(0))).toBe('later')
    expect(nextClip(day(), NONE, { month: '2026-11', bytes: 495e6 }, at(0))).toBeNull()
    expect(nextClip(day(), NONE, { month: '2026-10', bytes: 495e6 }, at(0))).toBe('soon')
  })

  it('waits for the hours that the policy names', () => {
    expect(nextClip(day({ clip_window: '22:00-06:00' }), NONE, spent, at(0))).toBeNull()
    expect(nextClip(day({ clip_window: '22:00-06:00' }), NONE, spent, at(13 * 60))).toBe('soon')
  })

  it.each([
    ['', 600, true],
    ['09:00-11:00', 600, true],
    ['09:00-10:00', 600, false],
    ['22:00-06:00', 0, true],
    ['22:00-06:00', 360, false],
    ['22:00-06:00', 1320, true],
  ])('window %j at minute %i: %j', (window, minute, open) => expect(inWindow(window, minute)).toBe(open))

  it('counts anew in a new month', () => {
    expect(spentIn({ month: '2026-11', bytes: 5 }, '2026-11-30')).toEqual({ month: '2026-11', bytes: 5 })
    expect(spentIn({ month: '2026-11', bytes: 5 }, '2026-12-01')).toEqual({ month: '2026-12', bytes: 0 })
  })

  it("keeps room for today's and this week's only", () => {
    const lessons = [lessonAt('l1', 0, { mode: 'recorded', clip: 'now' }), lessonAt('l2', 50)]
    expect([...wanted(dayWith({ lessons, clips: [clip('soon', 1, 5)] }))]).toEqual(['now', 'soon'])
  })
})

it.each([
  [null, 0, 99],
  ['bytes=0-', 0, 99],
  ['bytes=10-19', 10, 19],
  ['bytes=90-500', 90, 99],
  ['bytes=-7', 93, 99],
  ['lines=1-2', 0, 99],
])('range %j of 100 bytes', (header, first, last) => expect(rangeOf(header, 100)).toEqual({ first, last }))

it('gives nothing beyond the end', () => expect(rangeOf('bytes=100-', 100)).toBeNull())

describe('a recording', () => {
  const bytes = new Uint8Array(PIECE_BYTES * 2 + 5000).map((_, index) => (index * 31 + (index >> 8)) % 251)
  const list = { id: 'c1', tracks: [{ file: 'voice.webm', bytes: bytes.length, mime: 'video/webm' }] }
  let asked: string[] = []
  let failAfter = Number.POSITIVE_INFINITY

  /** The browser's store, and a server with one recording. */
  beforeEach(() => {
    const kept = new Map<string, Response>()
    const key = (what: string | Request) => (typeof what === 'string' ? what : new URL(what.url).pathname + new URL(what.url).search)
    const store = {
      match: (what: string | Request) => Promise.resolve(kept.get(key(what))?.clone()),
      put: (what: string, response: Response) => Promise.resolve(void kept.set(what, response)),
      keys: () => Promise.resolve([...kept.keys()].map((path) => new Request(`https://school${path}`))),
      delete: (what: Request) => Promise.resolve(kept.delete(key(what))),
    }
    vi.stubGlobal('caches', { open: () => Promise.resolve(store) })
    vi.stubGlobal('fetch', (path: string, options: RequestInit) => {
      asked.push(path)
      if (asked.length > failAfter) return Promise.reject(new TypeError('cut'))
      if (path.startsWith('/api/')) return Promise.resolve(new Response(JSON.stringify(list)))
      const range = rangeOf((options.headers as Record<string, string>).Range ?? null, bytes.length)
      return Promise.resolve(new Response(range && bytes.slice(range.first, range.last + 1), { status: 206 }))
    })
    asked = []
    failAfter = Number.POSITIVE_INFINITY
  })
  afterEach(() => vi.unstubAllGlobals())

  const get = (range?: string) => stored('/media/c1/voice.webm', new Request('https://school/media/c1/voice.webm', range ? { headers: { Range: range } } : {}))
  const load = () => download('c1', new AbortController().signal, () => undefined)

  it('is here once all of it is, and is given in any range as the server would', async () => {
    let cost = 0
    await download('c1', new AbortController().signal, (more) => (cost += more))
    expect([cost, [...(await storedClips())]]).toEqual([bytes.length, ['c1']])
    asked = []
    const whole = await get()
    expect([whole.status, whole.headers.get('Content-Type'), (await whole.arrayBuffer()).byteLength]).toEqual([200, 'video/webm', bytes.length])
    for (const [first, last] of [[0, 9], [PIECE_BYTES - 3, PIECE_BYTES + 3], [PIECE_BYTES, 2 * PIECE_BYTES - 1], [bytes.length - 1, bytes.length - 1]] as const) {
      const part = await get(`bytes=${first}-${last}`)
      expect([part.status, part.headers.get('Content-Range')]).toEqual([206, `bytes ${first}-${last}/${bytes.length}`])
      expect(Buffer.compare(Buffer.from(await part.arrayBuffer()), Buffer.from(bytes.slice(first, last + 1)))).toBe(0)
    }
    expect((await get(`bytes=${bytes.length}-`)).status).toBe(416)
    expect(asked).toEqual([])
  })

  it('that was cut goes on with the piece that is missing', async () => {
    failAfter = 3
    await expect(load()).rejects.toThrow('cut')
    expect([...(await storedClips())]).toEqual([])
    failAfter = Number.POSITIVE_INFINITY
    asked = []
    await load()
    expect(asked).toEqual(['/api/library/c1', '/media/c1/voice.webm'])
    expect([...(await storedClips())]).toEqual(['c1'])
  })

  it('that is not here whole comes from the network', async () => {
    failAfter = 2
    await expect(load()).rejects.toThrow('cut')
    failAfter = Number.POSITIVE_INFINITY
    const before = asked.length
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('from the server')))
    expect(await (await get()).text()).toBe('from the server')
    expect(asked.length).toBe(before)
  })

  it('that nobody wants any more goes', async () => {
    await load()
    await forgetAllBut(new Set(['c1']))
    expect([...(await storedClips())]).toEqual(['c1'])
    await forgetAllBut(new Set())
    expect([...(await storedClips())]).toEqual([])
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('from the server')))
    expect(await (await get()).text()).toBe('from the server')
  })
})
