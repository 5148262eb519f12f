import { expect, it } from 'vitest'
import { createApp, nextTick } from 'vue'
import LinkChooser from '../ui/LinkChooser.vue'
import { heardLinks } from './links'
import { language } from './text'

const both = [
  { link: 8444, profile: '64k-loss10' },
  { link: 8445, profile: 'made-up' },
]
const profiles = ['clean', '64k-loss10', 'made-up']

async function shown(): Promise<HTMLElement> {
  const root = document.createElement('div')
  createApp(LinkChooser).mount(root)
  await nextTick()
  return root
}

it('shows nothing where no link is emulated', async () => {
  expect((await shown()).querySelector('select')).toBeNull()
})

it('lets a page that came by a link change that one, and says its name in words', async () => {
  language.value = 'zh'
  const said: unknown[] = []
  heardLinks({ type: 'links', links: both, own: 8444, profiles }, (message) => said.push(message))
  const root = await shown()
  const [select, ...others] = [...root.querySelectorAll('select')]
  if (!select) throw new Error('no choice')
  expect(others).toEqual([])
  expect(select.getAttribute('aria-label')).toBe('本页的模拟线路')
  expect(select.value).toBe('64k-loss10')
  expect([...select.options].map((option) => option.text)).toEqual(['不限', '64 kbit/s，丢包 10%', 'made-up'])
  select.value = 'clean'
  select.dispatchEvent(new Event('change'))
  expect(said).toEqual([{ type: 'link', link: 8444, profile: 'clean' }])
})

it('shows all of them to people in charge, told apart by port', async () => {
  language.value = 'en'
  heardLinks({ type: 'links', links: both, own: null, profiles }, () => undefined)
  const labels = [...(await shown()).querySelectorAll('label')].map((label) => label.querySelector('span')?.textContent)
  expect(labels).toEqual([
    'Emulated link of the weak classroom (port 8444)',
    'Emulated link of the weak classroom (port 8445)',
  ])
})
