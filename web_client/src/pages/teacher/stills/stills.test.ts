import { expect, it } from 'vitest'
import { choose, fit } from './encode'
import { APART_MS, LOOK_HEIGHT, LOOK_WIDTH, STEADY_MS, Steady, type Look } from './steady'

/** A page of one grey with so many other pixels. */
function page(grey: number, other = 0): Look {
  const look = new Uint8ClampedArray(4 * LOOK_WIDTH * LOOK_HEIGHT).fill(grey)
  return look.fill(255 - grey, 0, 4 * other)
}

it('takes a still once a page has come to rest, and none of the same page', () => {
  const steady = new Steady()
  expect(steady.due_ms(0)).toBe(null)
  steady.see(page(40), 0)
  expect(steady.due_ms(0)).toBe(STEADY_MS)
  steady.see(page(90), 500)
  expect(steady.due_ms(500)).toBe(STEADY_MS)
  steady.see(page(90, 3), 900)
  expect(steady.due_ms(900)).toBe(STEADY_MS - 400)
  steady.take(500 + STEADY_MS)
  steady.see(page(90), 1500)
  expect(steady.due_ms(1500)).toBe(null)
})

it('takes at most one in two seconds', () => {
  const steady = new Steady()
  steady.see(page(40), 0)
  steady.take(STEADY_MS)
  steady.see(page(90), 800)
  expect(steady.due_ms(800)).toBe(STEADY_MS + APART_MS - 800)
})

it('takes a page again to which the teacher went back', () => {
  const steady = new Steady()
  steady.see(page(40), 0)
  steady.take(1000)
  steady.see(page(90), 4000)
  steady.take(5000)
  steady.see(page(40), 9000)
  expect(steady.due_ms(9000)).toBe(STEADY_MS)
})

it('sees a page that changes slowly', () => {
  const steady = new Steady()
  steady.see(page(40), 0)
  steady.take(700)
  for (let step = 1; step <= 20; step++) steady.see(page(40 + step), 3000 + 100 * step)
  expect(steady.due_ms(5000)).not.toBe(null)
})

it('chooses the smallest file, and a lossless one where it costs little more', () => {
  const file = (type: string, size: number) => ({ type, size })
  expect(choose([file('webp', 15), file('png', 23)], [file('soft', 59)])?.type).toBe('webp')
  expect(choose([file('webp', 393), file('png', 85)], [file('soft', 33)])?.type).toBe('soft')
  expect(choose([file('webp', 39), file('png', 60)], [file('soft', 33)])?.type).toBe('webp')
  expect(choose([file('webp', 300_000)], [file('soft', 290_000)])).toBe(null)
})

it('keeps the proportions of a screen', () => {
  expect(fit(1920, 1080)).toEqual([1280, 720])
  expect(fit(1024, 768)).toEqual([960, 720])
  expect(fit(800, 600)).toEqual([800, 600])
})
