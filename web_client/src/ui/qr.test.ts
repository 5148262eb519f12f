import jsQR from 'jsqr'
import { expect, it } from 'vitest'
import { createApp, nextTick } from 'vue'
import QrCode from './QrCode.vue'

const SCALE = 6

it.each(['https://192.0.2.7:8443/classroom#code=428913', 'https://zhuandi.example.cn/classroom'])('%s is read from the square again', async (text) => {
  const root = document.createElement('div')
  const app = createApp(QrCode, { text, label: 'x' })
  app.mount(root)
  const paths = () => [...root.querySelectorAll('path')].map((path) => path.getAttribute('d') ?? '')
  for (let turn = 0; turn < 50 && !paths()[1]; turn++) await new Promise((resolve) => setTimeout(resolve, 20))
  await nextTick()
  const side = Number(root.querySelector('svg')?.getAttribute('viewBox')?.split(' ')[2])
  const pixels = new Uint8ClampedArray((side * SCALE) ** 2 * 4).fill(255)
  for (const [, x, y] of (paths()[1] ?? '').matchAll(/M(\d+) (\d+)/g)) {
    for (let row = 0; row < SCALE; row++) {
      for (let column = 0; column < SCALE; column++) {
        const at = 4 * ((Number(y) * SCALE + row) * side * SCALE + Number(x) * SCALE + column)
        pixels.fill(0, at, at + 3)
      }
    }
  }
  app.unmount()
  expect(side).toBeGreaterThan(20)
  expect(jsQR(pixels, side * SCALE, side * SCALE)?.data).toBe(text)
})
