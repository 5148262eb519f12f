/** A day for tests: three lessons from 10:00 in Shanghai, breaks between them. */

import type { Day, PlannedLesson } from './day'

/** 2026-11-23 10:00 in Asia/Shanghai. */
export const TEN_MS = Date.UTC(2026, 10, 23, 2, 0)
export const MINUTE_MS = 60_000

/** Minutes after ten o'clock. */
export const at = (minutes: number) => TEN_MS + minutes * MINUTE_MS

/** A lesson of 40 minutes that begins so many minutes after ten. */
export function lessonAt(id: string, minute: number, change: Partial<PlannedLesson> = {}): PlannedLesson {
  const times = { begin_ms: at(minute), end_ms: at(minute + 40), enter_ms: at(minute - 2) }
  return { id, subject: '音乐', teacher: '王老师', ...times, mode: 'live', state: 'planned', clip: null, missed: null, ...change }
}

/** The day with some of it changed. */
export function dayWith(change: Partial<Day> = {}): Day {
  const policy = { enter_before_s: 120, check_before_s: 600, break_min: 10, data_cap_mb: null, clip_window: '', clip_budget_mb: 500 }
  return {
    server_ms: TEN_MS,
    zone: 'Asia/Shanghai',
    date: '2026-11-23',
    classroom: { id: 'd1', school: '青山小学', class: '五年级', name: '青山小学五年级' },
    policy,
    lessons: [lessonAt('l1', 0), lessonAt('l2', 50), lessonAt('l3', 100)],
    breaks: [{ begin_ms: at(40), end_ms: at(50) }, { begin_ms: at(90), end_ms: at(100) }],
    clips: [],
    asks: { check: null },
    ...change,
  }
}
