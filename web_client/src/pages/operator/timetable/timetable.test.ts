import { expect, it } from 'vitest'
import { amount } from '../month/amounts'
import { shownMonday } from './plan'
import { addDays, mondayOf, shortDay, weekdayOf, weekOf } from './week'

it('reckons days over the ends of months and years, in any zone of this machine', () => {
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  expect(addDays('2024-03-01', -1)).toBe('2024-02-29')
  expect(weekOf('2026-11-23')).toEqual([23, 24, 25, 26, 27, 28, 29].map((day) => `2026-11-${day}`))
})

it('finds the Monday of every day of a week', () => {
  for (const day of weekOf('2026-11-23')) expect(mondayOf(day)).toBe('2026-11-23')
  expect(weekdayOf('2026-11-29')).toBe(7)
  expect(shortDay('2026-03-08')).toBe('3-8')
})

it('shows the week of the server, not of this machine', () => {
  const plan = { today: '2031-05-07' } as never
  expect(shownMonday({ monday: null, plan })).toBe('2031-05-05')
  expect(shownMonday({ monday: '2026-11-23', plan })).toBe('2026-11-23')
  expect(shownMonday({ monday: null, plan: null })).toBeNull()
})

it.each([
  [0, '0.0 MB'],
  [1_234_567, '1.2 MB'],
  [999_000_000, '999 MB'],
  [45_678_000_000, '45.7 GB'],
])('says %d bytes as %s', (bytes, said) => {
  expect(amount(bytes)).toBe(said)
})
