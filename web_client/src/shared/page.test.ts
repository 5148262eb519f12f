import { afterEach, describe, expect, it, vi } from 'vitest'
import { teacher } from '../locales/teacher'
import { linkFault, openShortLink, tabTitle } from './page'
import { language } from './text'

function place(hash: string): { at: Location; past: History; replaced: string[] } {
  const replaced: string[] = []
  const at = { hash, pathname: '/teacher', search: '' } as Location
  const past = { state: null, replaceState: (_: unknown, __: string, url: string) => void replaced.push(url) }
  return { at, past: past as unknown as History, replaced }
}

function answer(status: number, body: object): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status })))
  vi.stubGlobal('fetch', fetched)
  return fetched
}

afterEach(() => vi.unstubAllGlobals())

it('names the tab in the language of the page', () => {
  language.value = 'en'
  expect([tabTitle(teacher), tabTitle()]).toEqual(['Teach · Zhuandi', 'Zhuandi'])
  language.value = 'zh'
  expect(tabTitle(teacher)).toBe('上课 · 专递')
})

describe('the key of a printed link', () => {
  it('becomes the token that it stands for', async () => {
    const fetched = answer(200, { token: 'a.b.c' })
    const { at, past, replaced } = place('#key=Ab_9-xyz')
    await openShortLink(at, past)
    const [path, request] = fetched.mock.calls[0] as unknown as [string, RequestInit]
    expect(path).toBe('/api/link')
    expect(JSON.parse(String(request.body))).toMatchObject({ key: 'Ab_9-xyz' })
    expect(replaced).toEqual(['/teacher#token=a.b.c'])
  })

  it('leaves the address bar even when the server does not know it', async () => {
    answer(401, { code: 'bad_token' })
    const { at, past, replaced } = place('#key=wrong')
    await openShortLink(at, past)
    expect(replaced).toEqual(['/teacher'])
    expect(linkFault.value).toBe('bad_token')
  })

  it('stays while the server cannot be asked, so that F5 tries again', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')))
    const { at, past, replaced } = place('#key=Ab_9-xyz')
    await openShortLink(at, past)
    expect([replaced, linkFault.value]).toEqual([[], 'offline'])
  })

  it('of which only half was copied is said to be wrong, and so is half a token', async () => {
    answer(401, { code: 'bad_token' })
    for (const hash of ['#key=', '#token=abc.de']) {
      const { at, past, replaced } = place(hash)
      await openShortLink(at, past)
      expect([hash, replaced, linkFault.value]).toEqual([hash, ['/teacher'], 'bad_token'])
    }
  })

  it('is not asked for where there is none', async () => {
    const fetched = answer(200, { token: 'a.b.c' })
    const { at, past, replaced } = place('#code=123456')
    await openShortLink(at, past)
    expect(fetched).not.toHaveBeenCalled()
    expect(replaced).toEqual([])
  })
})
