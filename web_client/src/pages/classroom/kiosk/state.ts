/**
 * What a classroom shows, from the day, the server's time and what happened: values in, values out.
 *
 * `step` takes an event in and settles which lesson is attended; `scene` says what is on the screen. Nothing here reads a clock.
 */

import type { Day, PlannedLesson, Rest } from './day'

/** A lesson that overruns is left after this, whatever an old answer of the server said. */
export const OVERRUN_MS = 30 * 60_000
/** The question how it was goes away by itself. */
export const RATING_MS = 45_000
/** A closed lesson is believed over for so long; after that the day decides. */
export const CLOSED_MS = 30_000

/** Something of the past to look at. */
export interface Replay {
  recording: string
  title: string
  /** Stretches to play, in server time; empty: all of it. */
  spans: { from_ms: number; to_ms: number }[]
  /** The lesson of the plan it belongs to. */
  lesson: string
}

/** All that the page goes by. */
export interface Kiosk {
  /** Whether the server knows this computer; null: it has not said. */
  paired: boolean | null
  /** Whether the last question to the server was answered. */
  online: boolean
  day: Day | null
  now_ms: number
  /** The lesson of the plan that is attended now; `arrived`: something was seen or heard of it. */
  attending: { id: string; arrived: boolean } | null
  /** Whether a lesson was joined by its code. */
  byHand: boolean
  /** Whether the six digits are being entered. */
  entering: boolean
  /** Lessons that the class left by itself. */
  left: readonly string[]
  /** Lessons that were refused or closed: not tried until then. */
  notBefore_ms: Readonly<Record<string, number>>
  rating: { lesson: string; until_ms: number } | null
  rated: readonly string[]
  /** Breaks that were closed by hand, by their beginning. */
  skipped: readonly number[]
  replay: Replay | null
  /** Lessons before which the line was checked. */
  checked: readonly string[]
}

export type Event =
  | { type: 'tick'; now_ms: number }
  | { type: 'day'; day: Day }
  | { type: 'known'; day: Day }
  | { type: 'unpaired' }
  | { type: 'offline' }
  | { type: 'arrived' }
  | { type: 'closed'; for_ms?: number }
  | { type: 'left' }
  | { type: 'return'; lesson: string }
  | { type: 'code'; open: boolean }
  | { type: 'joined' }
  | { type: 'rated'; lesson: string }
  | { type: 'skip'; begin_ms: number }
  | { type: 'replay'; replay: Replay | null }
  | { type: 'checked'; lesson: string }

export type Scene =
  | { is: 'starting' }
  | { is: 'pairing' }
  | { is: 'lesson'; lesson: PlannedLesson | null }
  | { is: 'clip'; lesson: PlannedLesson }
  | { is: 'replay'; replay: Replay }
  | { is: 'rating'; lesson: string }
  | { is: 'break'; rest: Rest }
  | { is: 'code' }
  | { is: 'day' }

const NOTHING_HAPPENED = { left: [], rated: [], skipped: [], checked: [], notBefore_ms: {} } as const

/** Before anything was heard. */
export function freshKiosk(): Kiosk {
  const nothing = { attending: null, rating: null, replay: null, day: null, paired: null }
  return { ...nothing, ...NOTHING_HAPPENED, online: false, now_ms: 0, byHand: false, entering: false }
}

/** The next state; which lesson is attended follows from it. */
export function step(kiosk: Kiosk, event: Event): Kiosk {
  return settle({ ...kiosk, ...change(kiosk, event) })
}

function change(kiosk: Kiosk, event: Event): Partial<Kiosk> {
  const { attending, now_ms } = kiosk
  switch (event.type) {
    case 'tick':
      return { now_ms: event.now_ms }
    case 'day':
      // What happened yesterday says nothing about today.
      return { ...(kiosk.day && kiosk.day.date !== event.day.date ? NOTHING_HAPPENED : stillPlanned(kiosk, event.day)), paired: true, online: true, day: event.day }
    case 'known':
      return kiosk.day ? {} : { paired: true, day: event.day }
    case 'unpaired':
      return { paired: false, online: true, day: null, attending: null, rating: null, replay: null }
    case 'offline':
      return { online: false }
    case 'arrived':
      return attending ? { attending: { ...attending, arrived: true } } : {}
    case 'closed':
      return closed(kiosk, event.for_ms ?? CLOSED_MS)
    case 'left':
      return attending ? { left: [...kiosk.left, attending.id], byHand: false } : { byHand: false }
    case 'return':
      return { left: kiosk.left.filter((id) => id !== event.lesson) }
    case 'code':
      return { entering: event.open }
    case 'joined':
      return { entering: false, byHand: true, rating: null, replay: null }
    case 'rated':
      return { rating: null, rated: [...kiosk.rated, event.lesson] }
    case 'skip':
      return { skipped: [...kiosk.skipped, event.begin_ms] }
    case 'replay':
      return { replay: event.replay, rating: null }
    case 'checked':
      return { checked: [...kiosk.checked, event.lesson], now_ms }
  }
}

/** A lesson that is no longer this class's asks for no rating, and is entered at once when it is planned again. */
function stillPlanned({ rating, notBefore_ms }: Kiosk, day: Day): Partial<Kiosk> {
  const planned = new Set(day.lessons.map(({ id }) => id))
  const waiting = Object.entries(notBefore_ms).filter(([id]) => planned.has(id))
  return { rating: rating && planned.has(rating.lesson) ? rating : null, notBefore_ms: Object.fromEntries(waiting) }
}

function closed(kiosk: Kiosk, for_ms: number): Partial<Kiosk> {
  if (kiosk.byHand) return { byHand: false }
  const { attending, notBefore_ms, now_ms } = kiosk
  return attending ? { notBefore_ms: { ...notBefore_ms, [attending.id]: now_ms + for_ms } } : {}
}

/** Goes in and out of lessons, asks how it was, and forgets what is over. */
function settle(kiosk: Kiosk): Kiosk {
  const due = dueLesson(kiosk)
  const { attending, now_ms } = kiosk
  let next = kiosk
  // A lesson of the plan that has begun takes the place of one that was joined by hand and forgotten.
  if (kiosk.byHand && due && due.begin_ms <= now_ms) next = { ...next, byHand: false }
  if (attending && attending.id !== due?.id) {
    const planned = kiosk.day?.lessons.some(({ id }) => id === attending.id)
    const ask = planned && attending.arrived && !kiosk.rated.includes(attending.id) && !kiosk.left.includes(attending.id)
    next = { ...next, attending: null, rating: ask ? { lesson: attending.id, until_ms: now_ms + RATING_MS } : next.rating }
  }
  // Going in needs the server; being in outlasts it.
  if (due && next.attending?.id !== due.id && !next.byHand && (kiosk.online || due.mode === 'recorded')) {
    next = { ...next, attending: { id: due.id, arrived: false }, replay: null, entering: false, rating: null }
  }
  if (next.rating && now_ms >= next.rating.until_ms) next = { ...next, rating: null }
  return next
}

/** The lesson that the classroom belongs in now. */
export function dueLesson(kiosk: Kiosk): PlannedLesson | null {
  const due = (kiosk.day?.lessons ?? []).filter((lesson) => isDue(kiosk, lesson))
  const begun = due.filter((lesson) => lesson.begin_ms <= kiosk.now_ms)
  // The bell decides between one that overruns and the next.
  return begun.sort((a, b) => b.begin_ms - a.begin_ms)[0] ?? due.sort((a, b) => a.begin_ms - b.begin_ms)[0] ?? rehearsed(kiosk)
}

/** The rehearsal that is on, as a lesson; it takes nobody out of one that was joined by hand. */
function rehearsed(kiosk: Kiosk): PlannedLesson | null {
  const rehearsal = kiosk.day?.asks.rehearsal
  if (!rehearsal || kiosk.byHand) return null
  const { lesson: id, begin_ms, end_ms } = rehearsal
  const lesson = { id, begin_ms, end_ms, enter_ms: begin_ms, mode: 'live', clip: null, missed: null } as const
  // Its end is its end: no teacher overruns.
  const planned: PlannedLesson = { ...lesson, state: 'open', subject: '全县联调 · Rehearsal', teacher: '' }
  return isDue(kiosk, planned) ? planned : null
}

function isDue({ now_ms, left, notBefore_ms }: Kiosk, lesson: PlannedLesson): boolean {
  const { id, begin_ms, end_ms, enter_ms, mode, state } = lesson
  if (state === 'over' || state === 'cancelled' || left.includes(id)) return false
  if (now_ms < (notBefore_ms[id] ?? 0)) return false
  if (mode === 'recorded') return lesson.clip !== null && begin_ms <= now_ms && now_ms < end_ms
  return enter_ms <= now_ms && (now_ms < end_ms || (state === 'live' && now_ms < end_ms + OVERRUN_MS))
}

/** What is on the screen. */
export function scene(kiosk: Kiosk): Scene {
  const { day, now_ms, attending } = kiosk
  if (kiosk.byHand) return { is: 'lesson', lesson: null }
  if (kiosk.paired === null) return { is: 'starting' }
  if (!kiosk.paired || !day) return { is: 'pairing' }
  const lesson = [...day.lessons, rehearsed(kiosk)].find((one) => one?.id === attending?.id)
  if (lesson && attending) return lesson.mode === 'recorded' ? { is: 'clip', lesson } : { is: 'lesson', lesson }
  if (kiosk.entering) return { is: 'code' }
  if (kiosk.replay) return { is: 'replay', replay: kiosk.replay }
  if (kiosk.rating) return { is: 'rating', lesson: kiosk.rating.lesson }
  const rest = day.breaks.find((one) => one.begin_ms <= now_ms && now_ms < one.end_ms && !kiosk.skipped.includes(one.begin_ms))
  return rest ? { is: 'break', rest } : { is: 'day' }
}

/** The lesson that the day's page shows largest: the next that is not over. */
export function nextLesson({ day, now_ms }: Pick<Kiosk, 'day' | 'now_ms'>): PlannedLesson | null {
  const coming = (day?.lessons ?? []).filter(({ end_ms, state }) => now_ms < end_ms && state !== 'over' && state !== 'cancelled')
  return coming.sort((a, b) => a.begin_ms - b.begin_ms)[0] ?? null
}

/** The lesson before which the line is to be checked now, by the page's own reckoning or the server's. */
export function checkDue(kiosk: Kiosk): string | null {
  const { day, now_ms, checked, online, attending, byHand } = kiosk
  if (!day || !online || attending || byHand) return null
  const window = (lesson: PlannedLesson) => lesson.begin_ms - day.policy.check_before_s * 1000 <= now_ms && now_ms < lesson.enter_ms
  const next = day.lessons.find((lesson) => lesson.mode !== 'recorded' && lesson.state !== 'cancelled' && window(lesson))
  const due = next?.id ?? day.asks.check
  return due !== null && !checked.includes(due) ? due : null
}
