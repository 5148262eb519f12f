import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { dayWith, TEN_MS } from './fixtures'
import { KioskServer } from './server'

let asked: { path: string; headers: Record<string, string>; body: unknown }[] = []
let answers: (() => Response)[] = []

beforeEach(() => {
  asked = []
  vi.stubGlobal('fetch', (path: string, options: RequestInit) => {
    asked.push({ path, headers: (options.headers ?? {}) as Record<string, string>, body: options.body && JSON.parse(String(options.body)) })
    const answer = answers.shift()
    return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError('no line'))
  })
})
afterEach(() => vi.unstubAllGlobals())

const day = (server_ms: number) => () =>
  new Response(JSON.stringify(dayWith()), { headers: { ETag: '"a"', 'Zd-Server-Ms': String(server_ms) } })
const same = (server_ms: number) => () => new Response(null, { status: 304, headers: { 'Zd-Server-Ms': String(server_ms) } })
const refused = (status: number, code: string) => () => new Response(JSON.stringify({ code }), { status })

it('asks for the day, then for news of it; each answer tells the time', async () => {
  answers = [day(TEN_MS), same(TEN_MS + 20_000)]
  const server = new KioskServer()
  expect(await server.day()).toMatchObject({ is: 'day', server_ms: TEN_MS, day: { date: '2026-11-23' } })
  expect(await server.day()).toMatchObject({ is: 'same', server_ms: TEN_MS + 20_000 })
  expect(asked.map(({ headers }) => headers['If-None-Match'])).toEqual([undefined, '"a"'])
})

it('is unpaired when the server says so, and asks for a whole day after that', async () => {
  answers = [day(TEN_MS), refused(401, 'not_paired'), day(TEN_MS)]
  const server = new KioskServer()
  await server.day()
  expect(await server.day()).toEqual({ is: 'unpaired' })
  await server.day()
  expect(asked[2]?.headers['If-None-Match']).toBeUndefined()
})

it('is not unpaired by a broken line or a broken server', async () => {
  answers = [refused(503, 'busy')]
  const server = new KioskServer()
  await expect(server.day()).rejects.toMatchObject({ code: 'internal' })
  await expect(server.day()).rejects.toMatchObject({ code: 'offline' })
})

it('says why a lesson cannot be entered', async () => {
  answers = [refused(404, 'no_such_lesson'), () => new Response('{"token":"t"}')]
  const server = new KioskServer()
  await expect(server.token('p1-20261123')).rejects.toMatchObject({ code: 'no_such_lesson' })
  expect(await server.token('p1-20261123')).toBe('t')
  expect(asked[1]).toMatchObject({ path: '/api/device/token', body: { lesson: 'p1-20261123' } })
})
