import { afterEach, beforeEach, expect, it } from 'vitest'
import { createApp, nextTick, reactive, type App } from 'vue'
import type { Still } from '../../shared/stills/receive'
import { language } from '../../shared/text'
import StillPicture from './StillPicture.vue'

interface Props {
  still: Still | null
  video: HTMLVideoElement | null
  paused: boolean
  cause: string
}
let app: App | null = null

/** A tile whose frames the test shows by hand. */
function tile(paused: boolean): { root: HTMLElement; props: Props; frame: () => void } {
  const video = document.createElement('video')
  let frame = () => undefined as void
  Object.assign(video, { requestVideoFrameCallback: (call: () => void) => (frame = call) })
  const props = reactive<Props>({ still: null, video, paused, cause: '本校下行约 40 kbit/s，先保声音和课件' })
  const root = document.createElement('div')
  app = createApp({ components: { StillPicture }, setup: () => ({ props }), template: '<StillPicture v-bind="props" />' })
  app.mount(root)
  return { root, props: props as Props, frame: () => frame() }
}
const words = (root: HTMLElement, id: string) => root.querySelector(`[data-testid=${id}]`)?.textContent ?? null

beforeEach(() => {
  language.value = 'zh'
})
afterEach(() => app?.unmount())

it('says that there is sound, why no picture, and what is coming, before the first picture', async () => {
  const { root } = tile(true)
  await nextTick()
  const said = words(root, 'paused-words') ?? ''
  for (const part of ['只有声音', '40 kbit/s', '课件图片']) expect(said).toContain(part)
})

it('leaves the last page in sight and says that a newer one is awaited', async () => {
  const { root, frame } = tile(true)
  frame()
  await nextTick()
  expect(words(root, 'paused-words')).toBeNull()
  expect(words(root, 'still-words')).toContain('正在等课件图片')
})

it('says nothing while the picture moves', async () => {
  const { root } = tile(false)
  await nextTick()
  expect([words(root, 'paused-words'), words(root, 'still-words')]).toEqual([null, null])
})
