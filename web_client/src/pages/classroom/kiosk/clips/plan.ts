/** Which recording is downloaded next: within the hours and the budget that the policy names. Values in, values out. */

import { minuteOfDay, type Day } from '../day'

/** What clips have cost in one month. */
export interface Spent {
  /** yyyy-mm of the day. */
  month: string
  bytes: number
}

/** What was spent in the month of a day: nothing yet in a new one. */
export function spentIn(spent: Spent, date: string): Spent {
  const month = date.slice(0, 7)
  return spent.month === month ? spent : { month, bytes: 0 }
}

/** Whether a minute of the day lies in `HH:MM-HH:MM`, which may pass midnight; an empty window is always open. */
export function inWindow(window: string, minute: number): boolean {
  const found = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(window)
  if (!found) return true
  const [from = 0, to = 0] = [1, 3].map((at) => Number(found[at]) * 60 + Number(found[at + 1]))
  return from <= to ? from <= minute && minute < to : minute >= from || minute < to
}

/** The recordings that are worth their room on the disk. */
export function wanted(day: Day): Set<string> {
  const today = day.lessons.flatMap(({ clip }) => (clip === null ? [] : [clip]))
  return new Set([...today, ...day.clips.map(({ recording }) => recording)])
}

/** The recording to be downloaded now, the soonest needed first; null: none, or not now. */
export function nextClip(day: Day, have: ReadonlySet<string>, spent: Spent, now_ms: number): string | null {
  if (!inWindow(day.policy.clip_window, minuteOfDay(day.zone, now_ms))) return null
  const left = day.policy.clip_budget_mb * 1e6 - spentIn(spent, day.date).bytes
  const missing = day.clips.filter(({ recording, bytes }) => !have.has(recording) && bytes <= left)
  return missing.sort((a, b) => a.use_ms - b.use_ms)[0]?.recording ?? null
}
