import { expect, it } from 'vitest'
import { deed, earliest, nextLesson, type TodayLesson } from './today'

function lesson(id: string, more: Partial<TodayLesson> = {}): TodayLesson {
  const plain = { begin: '08:00', end: '08:40', begin_ms: Date.UTC(2026, 10, 23), subject: 's', class_names: [], substitute: false }
  return { id, ...plain, state: 'planned', may_begin: false, ...more }
}

it('names what can be done with a lesson', () => {
  expect(deed(lesson('a', { may_begin: true, state: 'open' }))).toEqual({ start: 'start' })
  expect(deed(lesson('a', { may_begin: true, state: 'live' }))).toEqual({ start: 'again' })
  expect(deed(lesson('a', { may_begin: true, state: 'over' }))).toEqual({ start: 'again' })
  expect(deed(lesson('a'))).toEqual({ why: 'early' })
  expect(deed(lesson('a', { state: 'over' }))).toEqual({ why: 'ended' })
  expect(deed(lesson('a', { state: 'cancelled', may_begin: true }))).toEqual({ why: 'gone' })
})

it('puts forward the lesson that can be begun, else the next one', () => {
  const over = lesson('over', { state: 'over' })
  const off = lesson('off', { state: 'cancelled' })
  const later = lesson('later')
  const now = lesson('now', { state: 'open', may_begin: true })
  expect(nextLesson([over, off, later])?.id).toBe('later')
  expect(nextLesson([over, later, now])?.id).toBe('now')
  expect(nextLesson([over, off])).toBeUndefined()
})

it('says the earliest hour on the clock of the school', () => {
  expect(earliest(lesson('a'), 'Asia/Shanghai')).toBe('07:00')
})
