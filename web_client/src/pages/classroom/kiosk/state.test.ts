import { describe, expect, it } from 'vitest'
import type { Day } from './day'
import { at, dayWith, lessonAt } from './fixtures'
import { CLOSED_MS, OVERRUN_MS, RATING_MS, checkDue, freshKiosk, nextLesson, scene, step, type Event, type Kiosk } from './state'

/** A paired classroom that has this day, at this minute after ten. */
function kioskAt(minute: number, day: Day = dayWith()): Kiosk {
  return run(freshKiosk(), { type: 'tick', now_ms: at(minute) }, { type: 'day', day })
}
const run = (kiosk: Kiosk, ...events: Event[]) => events.reduce(step, kiosk)
const later = (kiosk: Kiosk, minute: number, ...events: Event[]) => run(kiosk, { type: 'tick', now_ms: at(minute) }, ...events)
const where = (kiosk: Kiosk) => {
  const now = scene(kiosk)
  return now.is === 'lesson' || now.is === 'clip' ? `${now.is} ${now.lesson?.id ?? 'by hand'}` : now.is
}
const one = (change: object) => dayWith({ lessons: [lessonAt('l1', 0, change)], breaks: [] })

it('goes through a day of three lessons by itself: in two minutes before, out at the end, breaks between', () => {
  const said: [number, string][] = []
  let kiosk = kioskAt(-20)
  for (let tenth = -200; tenth <= 1500; tenth++) {
    kiosk = later(kiosk, tenth / 10)
    const now = where(kiosk)
    if (now.startsWith('lesson')) kiosk = step(kiosk, { type: 'arrived' })
    if (said[said.length - 1]?.[1] !== now) said.push([tenth / 10, now])
  }
  expect(said).toEqual([
    [-20, 'day'],
    [-2, 'lesson l1'],
    [40, 'rating'],
    [40.8, 'break'],
    [48, 'lesson l2'],
    [90, 'rating'],
    [90.8, 'break'],
    [98, 'lesson l3'],
    [140, 'rating'],
    [140.8, 'day'],
  ])
})

it('starts with what it knows, and asks to be paired only when the server says that it is not', () => {
  expect(where(freshKiosk())).toBe('starting')
  expect(where(run(freshKiosk(), { type: 'offline' }))).toBe('starting')
  expect(where(run(freshKiosk(), { type: 'unpaired' }))).toBe('pairing')
  expect(where(run(freshKiosk(), { type: 'tick', now_ms: at(-20) }, { type: 'known', day: dayWith() }))).toBe('day')
})

describe('going in', () => {
  it('waits for the server, and being in outlasts it', () => {
    const known = run(freshKiosk(), { type: 'tick', now_ms: at(10) }, { type: 'known', day: dayWith() })
    expect(where(known)).toBe('day')
    const inside = run(known, { type: 'day', day: dayWith() })
    expect(where(inside)).toBe('lesson l1')
    expect(where(later(inside, 20, { type: 'offline' }))).toBe('lesson l1')
  })

  it.each(['over', 'cancelled'] as const)('does not happen when the lesson is %s', (state) => {
    expect(where(kioskAt(5, one({ state })))).toBe('day')
  })

  it('follows a lesson that was moved, and stays when another teacher takes over', () => {
    const moved = one({ begin_ms: at(5), enter_ms: at(3), end_ms: at(45) })
    const kiosk = kioskAt(0, moved)
    expect(where(kiosk)).toBe('day')
    expect(where(later(kiosk, 3))).toBe('lesson l1')
    expect(where(later(kiosk, 4, { type: 'day', day: one({ teacher: '李老师', end_ms: at(45) }) }))).toBe('lesson l1')
  })

  it('ends a look back, a code half typed, and the question how the last one was', () => {
    const replay = { recording: 'r', title: '', spans: [], lesson: 'l0' }
    const busy = run(kioskAt(-10), { type: 'replay', replay }, { type: 'code', open: true })
    expect(where(busy)).toBe('code')
    expect(where(later(busy, -2))).toBe('lesson l1')
  })
})

describe('the end', () => {
  const inside = () => run(kioskAt(0, one({})), { type: 'arrived' })

  it('asks how it was, once, and for a while only', () => {
    const asked = later(inside(), 40)
    expect(where(asked)).toBe('rating')
    expect(where(run(asked, { type: 'rated', lesson: 'l1' }))).toBe('day')
    expect(where(run(asked, { type: 'tick', now_ms: at(40) + RATING_MS }))).toBe('day')
  })

  it('asks nothing where nothing was seen', () => {
    expect(where(later(kioskAt(0, one({})), 40))).toBe('day')
  })

  it('waits for a teacher who overruns, but not for ever and not into the next lesson', () => {
    const live = dayWith({ lessons: [lessonAt('l1', 0, { state: 'live' }), lessonAt('l2', 42)], breaks: [] })
    const kiosk = kioskAt(0, live)
    expect(where(later(kiosk, 41))).toBe('lesson l1')
    expect(where(later(kiosk, 42))).toBe('lesson l2')
    const alone = kioskAt(0, one({ state: 'live' }))
    expect(where(later(alone, 45))).toBe('lesson l1')
    expect(where(run(alone, { type: 'tick', now_ms: at(40) + OVERRUN_MS }))).toBe('day')
  })

  it('comes early when the teacher closes, and is believed until the day says otherwise', () => {
    const closed = later(inside(), 30, { type: 'closed' })
    expect(where(closed)).toBe('rating')
    const done = run(closed, { type: 'rated', lesson: 'l1' }, { type: 'day', day: one({ state: 'over' }) })
    expect(where(run(done, { type: 'tick', now_ms: at(30) + CLOSED_MS }))).toBe('day')
    const stillOpen = run(closed, { type: 'day', day: one({ state: 'live' }) })
    expect(where(run(stillOpen, { type: 'tick', now_ms: at(30) + CLOSED_MS }))).toBe('lesson l1')
  })
})

it('goes out of a lesson that the plan gives to others, asks nothing, and is in again as soon as it is planned again', () => {
  const sentAway: Event[] = [{ type: 'closed', for_ms: 60_000 }]
  for (const first of [[], sentAway]) {
    const inside = run(kioskAt(0, one({})), { type: 'arrived' })
    const out = later(inside, 10, ...first, { type: 'day', day: dayWith({ lessons: [], breaks: [] }) })
    expect(where(out)).toBe('day')
    expect(where(run(out, { type: 'day', day: one({}) }))).toBe('lesson l1')
  }
})

describe('by hand', () => {
  it('a class leaves and comes back', () => {
    const left = run(kioskAt(0), { type: 'arrived' }, { type: 'left' })
    expect(where(left)).toBe('day')
    expect(where(run(left, { type: 'return', lesson: 'l1' }))).toBe('lesson l1')
  })

  it('a lesson joined by its code is shown until it closes, or the plan has the class elsewhere', () => {
    const joined = run(kioskAt(-30), { type: 'code', open: true }, { type: 'joined' })
    expect(where(joined)).toBe('lesson by hand')
    expect(where(run(joined, { type: 'closed' }))).toBe('day')
    expect(where(later(joined, -1))).toBe('lesson by hand')
    expect(where(later(joined, 0))).toBe('lesson l1')
  })

  it('a break is closed and does not come back', () => {
    const rest = later(kioskAt(41), 42)
    expect(where(rest)).toBe('break')
    expect(where(run(rest, { type: 'skip', begin_ms: at(40) }))).toBe('day')
    expect(where(later(run(rest, { type: 'skip', begin_ms: at(40) }), 45))).toBe('day')
  })
})

describe('a recorded lesson', () => {
  const recorded = one({ mode: 'recorded', clip: 'c1' })

  it('plays at its bell, without the server if need be', () => {
    const kiosk = run(freshKiosk(), { type: 'tick', now_ms: at(-1) }, { type: 'known', day: recorded })
    expect(where(kiosk)).toBe('day')
    expect(where(later(kiosk, 0))).toBe('clip l1')
    expect(where(later(kiosk, 40))).toBe('day')
  })

  it('is none without its recording', () => expect(where(kioskAt(5, one({ mode: 'recorded' })))).toBe('day'))
})

describe('the check of the line', () => {
  it('is due ten minutes before a lesson, once, and not on the way in', () => {
    const kiosk = kioskAt(-11)
    expect(checkDue(kiosk)).toBeNull()
    expect(checkDue(later(kiosk, -10))).toBe('l1')
    expect(checkDue(later(kiosk, -10, { type: 'checked', lesson: 'l1' }))).toBeNull()
    expect(checkDue(later(kiosk, -1))).toBeNull()
    expect(checkDue(later(kiosk, -10, { type: 'offline' }))).toBeNull()
  })

  it('is made whenever the server asks, but not in a lesson', () => {
    const asks = { check: 'x' }
    expect(checkDue(kioskAt(-60, dayWith({ asks })))).toBe('x')
    expect(checkDue(kioskAt(5, dayWith({ asks })))).toBeNull()
  })
})

it('names the lesson that comes next or is on', () => {
  expect([-500, 10, 45, 120, 141].map((minute) => nextLesson(kioskAt(minute))?.id)).toEqual(['l1', 'l1', 'l2', 'l3', undefined])
  expect(nextLesson(kioskAt(-5, dayWith({ lessons: [lessonAt('l1', 0, { state: 'cancelled' }), lessonAt('l2', 50)] })))?.id).toBe('l2')
})

it('begins every day afresh', () => {
  const left = run(kioskAt(0), { type: 'left' }, { type: 'day', day: dayWith({ date: '2026-11-24' }) })
  expect(left.left).toEqual([])
})

describe('a rehearsal', () => {
  const day = (change: object = {}) =>
    dayWith({ breaks: [], asks: { check: null, rehearsal: { id: 'r', lesson: 'demo', begin_ms: at(-30), end_ms: at(-27) } }, ...change })

  it('is taken by a classroom that has nothing else to do, for its time, and nobody asks how it was', () => {
    const inside = step(kioskAt(-29, day()), { type: 'arrived' })
    expect(where(inside)).toBe('lesson demo')
    expect(where(later(inside, -27))).toBe('day')
  })

  it('is over when the server says so, and takes nobody out of a lesson', () => {
    expect(where(run(kioskAt(-29, day()), { type: 'day', day: dayWith() }))).toBe('day')
    const planned = day({ lessons: [lessonAt('l1', -30)] })
    expect(where(kioskAt(-29, planned))).toBe('lesson l1')
    expect(where(run(kioskAt(-29), { type: 'joined' }, { type: 'day', day: day() }))).toBe('lesson by hand')
  })
})
