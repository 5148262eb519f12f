import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createApp, nextTick, type App, type Component } from 'vue'
import { linkFault } from '../shared/page'
import { language } from '../shared/text'
import ClassroomPage from './classroom/ClassroomPage.vue'
import HomePage from './home/HomePage.vue'
import LibraryPage from './library/LibraryPage.vue'
import OperatorPage from './operator/OperatorPage.vue'
import SignInPage from './sign-in/SignInPage.vue'
import TeacherPage from './teacher/TeacherPage.vue'
import TrustPage from './trust/TrustPage.vue'
import WatchPage from './watch/WatchPage.vue'

const PAGES: Record<string, Component> = {
  home: HomePage,
  teacher: TeacherPage,
  classroom: ClassroomPage,
  operator: OperatorPage,
  library: LibraryPage,
  watch: WatchPage,
  trust: TrustPage,
  signIn: SignInPage,
}
let app: App | null = null
/** A page has asked the server what it is for. */
const settled = () => new Promise((resolve) => setTimeout(resolve))

function mount(page: Component): HTMLElement {
  const root = document.createElement('div')
  document.body.append(root)
  app = createApp(page)
  app.mount(root)
  return root
}

beforeEach(() => {
  sessionStorage.clear()
  localStorage.clear()
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"code":"bad_token"}', { status: 401 })))
})
afterEach(() => {
  app?.unmount()
  document.body.innerHTML = ''
  vi.unstubAllGlobals()
})

it.each(Object.entries(PAGES))('%s says something useful to a stranger, in both languages', async (_, page) => {
  language.value = 'zh'
  const root = mount(page)
  await settled()
  const chinese = root.querySelector('main')?.textContent ?? ''
  expect(chinese).toMatch(/[\u4e00-\u9fff]{6}/)
  language.value = 'en'
  await nextTick()
  const english = root.querySelector('main')?.textContent ?? ''
  expect(english.length).toBeGreaterThan(40)
  expect(english).not.toMatch(/[\u4e00-\u9fff]/)
})

it.each(Object.entries(PAGES))('%s has a name on everything that can be pressed or filled in', async (_, page) => {
  const root = mount(page)
  await settled()
  for (const control of root.querySelectorAll('button, input, select, a[href]')) {
    const name = control.getAttribute('aria-label') ?? control.closest('label')?.textContent ?? control.textContent ?? ''
    const labelled = control.id !== '' && root.querySelector(`label[for="${control.id}"]`) !== null
    expect([control.outerHTML, name.trim() !== '' || labelled]).toEqual([control.outerHTML, true])
  }
})

it('joins with six digits however they are typed', async () => {
  const asked: unknown[] = []
  vi.stubGlobal('fetch', (_: string, request: RequestInit) => {
    if (request.method === 'POST') asked.push(JSON.parse(String(request.body)))
    return Promise.resolve(new Response('{"code":"no_such_lesson"}', { status: 404 }))
  })
  language.value = 'zh'
  const root = mount(ClassroomPage)
  await settled()
  const input = root.querySelector('[data-testid=code-input]') as HTMLInputElement
  input.value = '42-89 13'
  input.dispatchEvent(new Event('input'))
  await nextTick()
  expect(input.value).toBe('428 913')
  root.querySelector('form')?.dispatchEvent(new Event('submit'))
  await vi.waitFor(() => expect(root.querySelector('[data-testid=notice]')?.textContent).toContain('核对六位课堂码'))
  expect(asked).toEqual([{ code: '428913', name: '接收教室' }])
})

it.each([
  ['teacher', TeacherPage],
  ['operator', OperatorPage],
  ['library', LibraryPage],
  ['classroom', ClassroomPage],
])('%s says why the link that led there opens nothing', async (_, page) => {
  language.value = 'zh'
  linkFault.value = 'expired_token'
  const root = mount(page)
  await settled()
  expect(root.textContent).toContain('这个链接已过期')
  linkFault.value = null
})

it('leads on from an address that has no page', async () => {
  language.value = 'zh'
  history.replaceState(null, '', '/nowhere')
  const root = mount(HomePage)
  await nextTick()
  history.replaceState(null, '', '/')
  expect(root.querySelector('[data-testid=nowhere]')?.textContent).toContain('没有网页')
  expect(root.querySelectorAll('a[href="/library"]').length).toBe(1)
})
