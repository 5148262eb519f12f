import { describe, expect, it } from 'vitest'
import { ServerClock } from '../../../shared/clock'
import { minuteOfDay, timeIn } from './day'
import { TEN_MS } from './fixtures'
import { GOOD_FOR_MS, spread_ms, stillGood } from './checking'
import { missedSeconds, onTimeline, watchedNow, withBreak, type Missed, type Watched } from './missed'
import { nearest, type Box } from './spatial'

describe('the clock of the server', () => {
  it('goes by the middle of the way there and back, and by the steady clock after that', () => {
    const clock = new ServerClock()
    expect([clock.now(0), clock.sure]).toEqual([null, false])
    clock.hear(TEN_MS, 1000, 1400)
    expect([clock.now(1200), clock.now(61_200), clock.sure]).toEqual([TEN_MS, TEN_MS + 60_000, true])
  })

  it('keeps the best answer: one that took long says less', () => {
    const clock = new ServerClock()
    clock.hear(TEN_MS, 0, 40)
    clock.hear(TEN_MS + 1000 + 900, 0, 2000)
    expect(clock.now(1020)).toBe(TEN_MS + 1000)
  })

  it('takes a worse one when the best has grown old, and when the computer has slept', () => {
    const clock = new ServerClock()
    clock.hear(TEN_MS, 0, 40)
    clock.hear(TEN_MS + 3_600_500, 3_600_000, 3_600_200)
    expect(clock.now(3_600_100)).toBe(TEN_MS + 3_600_500)
    clock.hear(TEN_MS + 20_000_000, 3_700_000, 3_702_000)
    expect(clock.now(3_701_000)).toBe(TEN_MS + 20_000_000)
  })

  it('guesses from yesterday until the server is heard', () => {
    const clock = new ServerClock()
    const threeHours_ms = 3 * 3600_000
    clock.guess(-threeHours_ms, TEN_MS + threeHours_ms, 500)
    expect([clock.now(500), clock.sure]).toEqual([TEN_MS, false])
    clock.hear(TEN_MS + 7000, 900, 1100)
    expect([clock.now(1000), clock.sure]).toEqual([TEN_MS + 7000, true])
    clock.guess(0, 0, 2000)
    expect(clock.now(1000)).toBe(TEN_MS + 7000)
  })
})

it('says the time of the school, not of the computer', () => {
  expect(timeIn('Asia/Shanghai', TEN_MS, 'zh', 'time')).toBe('10:00')
  expect(timeIn('Asia/Urumqi', TEN_MS, 'en', 'time')).toBe('08:00')
  expect(timeIn('Asia/Shanghai', TEN_MS + 14 * 3600_000, 'zh', 'time')).toBe('00:00')
  expect(timeIn('Asia/Shanghai', TEN_MS, 'en', 'date')).toContain('Monday')
  expect(minuteOfDay('Asia/Shanghai', TEN_MS)).toBe(600)
})

describe('what was missed', () => {
  const stretch = (from: number, to: number): Missed => ({ from_ms: TEN_MS + 1000 * from, to_ms: TEN_MS + 1000 * to })

  it('is gathered: short breaks do not count, near ones are one', () => {
    const spans = [stretch(60, 140), stretch(200, 203), stretch(142, 150), stretch(600, 630)].reduce(withBreak, [] as Missed[])
    expect(spans).toEqual([stretch(60, 150), stretch(600, 630)])
    expect(missedSeconds(spans)).toBe(120)
  })

  it('is whatever lies between two moments of watching: a late start, a break, a power cut', () => {
    const seconds = [30, 33, 36, 39, 42, 112, 113]
    const watched = seconds.reduce<Watched | undefined>((so_far, s) => watchedNow(so_far, TEN_MS, TEN_MS + 1000 * s), undefined)
    expect(watched).toEqual({ until_ms: TEN_MS + 113_000, missed: [stretch(0, 30), stretch(42, 112)] })
  })

  it('is nothing for a class that was there before the bell', () => {
    expect(watchedNow(undefined, TEN_MS, TEN_MS - 60_000)).toEqual({ until_ms: TEN_MS - 60_000, missed: [] })
  })

  it('lies on the timeline of the recording, with a little more around it and nothing outside', () => {
    expect(onTimeline([stretch(0, 20), stretch(60, 140), stretch(900, 950)], TEN_MS, 145)).toEqual([
      { from: 0, to: 23 },
      { from: 57, to: 143 },
    ])
    expect(onTimeline([], TEN_MS, 145)).toEqual([{ from: 0, to: 145 }])
  })
})

describe('arrows', () => {
  const box = (left: number, top: number, width = 10, height = 10): Box => ({ left, top, right: left + width, bottom: top + height })
  const grid = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => box(20 * column, 20 * row)))
  const from = box(20, 20)
  const rest = grid.filter((_, index) => index !== 4)
  const to = (way: Parameters<typeof nearest>[2]) => rest[nearest(from, rest, way)]

  it('go to the neighbour in a grid', () => {
    expect(to('ArrowLeft')).toEqual(box(0, 20))
    expect(to('ArrowRight')).toEqual(box(40, 20))
    expect(to('ArrowUp')).toEqual(box(20, 0))
    expect(to('ArrowDown')).toEqual(box(20, 40))
  })

  it('reach a wide button from everywhere above it, and come back', () => {
    const wide = box(0, 60, 50, 10)
    for (const cell of grid.slice(6)) expect(nearest(cell, [wide], 'ArrowDown')).toBe(0)
    expect(nearest(wide, grid, 'ArrowUp')).toBe(7)
  })

  it('stay where nothing lies in that direction', () => {
    expect(nearest(box(0, 0), grid.slice(1, 3), 'ArrowLeft')).toBe(-1)
    expect(nearest(box(0, 0), grid.slice(1, 3), 'ArrowUp')).toBe(-1)
  })
})

it('tries a line again that was not well, or was well long ago', () => {
  const found = (level: 'well' | 'limited') => ({ level, at_ms: 1000 })
  expect(stillGood(null, 0)).toBe(false)
  expect([1000, 999 + GOOD_FOR_MS, 1000 + GOOD_FOR_MS].map((now) => stillGood(found('well'), now))).toEqual([true, true, false])
  expect(stillGood(found('limited'), 2000)).toBe(false)
})

it('spreads the checks of one bell, and lets each end before the way in', () => {
  expect([0, 0.5, 1].map((random) => spread_ms(480_000, random))).toEqual([0, 150_000, 300_000])
  expect(spread_ms(120_000, 1)).toBe(30_000)
  expect(spread_ms(60_000, 1)).toBe(0)
})
