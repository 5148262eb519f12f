import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { TokenStore, readClaims, renewIn, tabId, tokenIn } from './token'

const HOUR_MS = 3600_000

function encode(value: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

function token(claims: object = {}): string {
  const now = Date.now() / 1000
  return `${encode({ alg: 'HS256' })}.${encode({ sub: 's', nbf: now, exp: now + 3600, ...claims })}.c2ln`
}

const place = (hash: string) => ({ hash, pathname: '/classroom', search: '?a=1' }) as Location
const past = { state: null, replaceState: vi.fn() }

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
  localStorage.clear()
  past.replaceState.mockClear()
})
afterEach(() => vi.useRealTimers())

it('takes the token out of the fragment and leaves a clean address', () => {
  const given = token()
  expect(new TokenStore().adopt(place(`#token=${given}`), past as unknown as History)).toBe(given)
  expect(past.replaceState).toHaveBeenCalledWith(null, '', '/classroom?a=1')
  expect(new TokenStore().adopt(place(''), past as unknown as History)).toBe(given)
})

it('keeps what it has when the fragment holds something else', () => {
  const store = new TokenStore()
  store.set(token())
  expect(store.adopt(place('#token=garbage'), past as unknown as History)).toBe(store.get())
  expect(past.replaceState).not.toHaveBeenCalled()
})

it('outlives the tab only where it is meant to', () => {
  new TokenStore(false).set(token())
  new TokenStore(true).set(token())
  sessionStorage.clear()
  expect(new TokenStore(false).get()).toBeNull()
  expect(new TokenStore(true).get()).not.toBeNull()
  new TokenStore(true).clear()
  expect(new TokenStore(true).get()).toBeNull()
})

it('reads Chinese names and the lesson', () => {
  const claims = readClaims(token({ name: '王老师', video: { room: 'r' }, zd: { role: 'teacher' } }))
  expect(claims).toMatchObject({ name: '王老师', lesson: 'r', role: 'teacher' })
  expect(readClaims(token({ video: { room: '' } }))?.lesson).toBeNull()
})

it.each(['', 'a', 'a.b.c', 'x.!!!.y', '..'])('reads nothing from %j', (text) => {
  expect(readClaims(text)).toBeNull()
  expect(tokenIn(text)).toBeNull()
})

it('finds a token in a pasted link', () => {
  const given = token()
  expect(tokenIn(`https://school.example:8443/teacher#token=${given}`)).toBe(given)
  expect(tokenIn(`  ${given}\n`)).toBe(given)
})

it('renews in time: after most of its life, a minute before the end at the latest', () => {
  const claims = { name: '', role: '', lesson: null, issued_ms: 0, expires_ms: HOUR_MS }
  expect(renewIn(claims, 0)).toBe(0.7 * HOUR_MS)
  expect(renewIn(claims, 2 * HOUR_MS)).toBe(1000)
  expect(renewIn({ ...claims, expires_ms: 90_000 }, 0)).toBe(30_000)
})

it('stores the renewed token, and tries again after a failure', async () => {
  const store = new TokenStore()
  store.set(token())
  const later = Date.now() / 1000 + 0.7 * 3600
  const next = token({ sub: 'renewed', nbf: later, exp: later + 3600 })
  const renew = vi.fn().mockRejectedValueOnce(new Error('offline')).mockResolvedValue(next)
  store.keepFresh(renew)
  await vi.advanceTimersByTimeAsync(0.72 * HOUR_MS)
  expect(renew).toHaveBeenCalledTimes(2)
  expect(store.get()).toBe(next)
  store.clear()
})

it('gives a tab one id for as long as it lives', () => {
  const first = tabId()
  expect(tabId()).toBe(first)
  sessionStorage.clear()
  expect(tabId()).not.toBe(first)
})
