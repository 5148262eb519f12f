import { expect, it } from 'vitest'
import { isCovering } from './cover'

const moment = { since_ms: 5000, moved_ms: 1000, now_ms: 6000, paused: false }

it('covers a picture that has stopped, with a still that is newer', () => {
  expect(isCovering(moment)).toBe(true)
  expect(isCovering({ ...moment, moved_ms: 5001 })).toBe(false)
  expect(isCovering({ ...moment, since_ms: null })).toBe(false)
})

it('waits a second for a picture that moves, not for one that is paused', () => {
  const soon = { ...moment, since_ms: 5600, moved_ms: 5500, now_ms: 5700 }
  expect(isCovering(soon)).toBe(false)
  expect(isCovering({ ...soon, paused: true })).toBe(true)
  expect(isCovering({ ...soon, now_ms: 6500 })).toBe(true)
})

it('covers a picture that never came', () => {
  expect(isCovering({ ...moment, moved_ms: -Infinity })).toBe(true)
})
