import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { comeBack, remembered } from '../../shared/session'
import { TokenStore } from '../../shared/token'
import { destination, Entering } from './entering'

const TOKEN = 'a.eyJzdWIiOiJwIn0.c'
const person = { id: 'p', name: '王芳', role: 'teacher', school: '石门' }
let gone: string[] = []

function answer(...answers: [number, object][]): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(() => {
    const [status, body] = answers.shift() ?? [500, {}]
    return Promise.resolve(new Response(JSON.stringify(body), { status }))
  })
  vi.stubGlobal('fetch', fetched)
  return fetched
}

beforeEach(() => {
  gone = []
  localStorage.clear()
  sessionStorage.clear()
})
afterEach(() => vi.unstubAllGlobals())

it('leads each role to its page, and back only to pages of ours', () => {
  expect(destination('', 'reviewer')).toBe('/library')
  expect(destination('?to=%2Foperator%3Ftab%3Dpeople', 'operator')).toBe('/operator?tab=people')
  for (const to of ['//evil.example', 'https://evil.example', '/\\evil', 'javascript:1', '/sign-in']) {
    expect(destination(`?to=${encodeURIComponent(to)}`, 'teacher')).toBe('/teacher')
  }
})

it('keeps the token for this tab and goes on', async () => {
  answer([200, { token: TOKEN, person }])
  const entering = new Entering((path) => gone.push(path))
  await entering.signIn('wangfang', 'secret')
  expect([gone, new TokenStore().get(), remembered()]).toEqual([['/teacher'], TOKEN, true])
})

it('asks for an own password in place of the first one', async () => {
  const fetched = answer([403, { code: 'must_change' }], [400, { code: 'bad_message' }], [200, { token: TOKEN, person }])
  const entering = new Entering((path) => gone.push(path))
  await entering.signIn('wangfang', 'first')
  expect([entering.state.phase, entering.state.fault]).toEqual(['change', null])
  await entering.change('wangfang', 'first', 'weak')
  expect(entering.state.fault).toBe('bad_message')
  await entering.change('wangfang', 'first', 'much better')
  const [path, request] = fetched.mock.calls[2] as unknown as [string, RequestInit]
  expect([path, JSON.parse(String(request.body))]).toEqual(['/api/password', { login: 'wangfang', password: 'first', new: 'much better' }])
  expect(gone).toEqual(['/teacher'])
})

it('says who is signed in, and forgets it on leaving', async () => {
  localStorage.setItem('zd.person', '1')
  answer([200, { token: TOKEN, person }], [200, {}])
  const entering = new Entering((path) => gone.push(path))
  await vi.waitFor(() => expect(entering.state.phase).toBe('in'))
  await entering.signOut()
  expect([entering.state.phase, remembered(), new TokenStore().get(), gone]).toEqual(['ask', false, null, []])
})

it('remembers a session that could not be asked about, and drops one that is over', async () => {
  localStorage.setItem('zd.person', '1')
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')))
  expect(await comeBack()).toBeNull()
  expect(remembered()).toBe(true)
  answer([401, { code: 'bad_login' }])
  expect(await comeBack()).toBeNull()
  expect(remembered()).toBe(false)
})
