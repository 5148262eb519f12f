/** The day of a signed-in teacher, as the timetable has it. */

import type { Catalogue } from '../../shared/text'
import { teacherDay } from '../../locales/timetable'

export interface TodayLesson {
  id: string
  begin: string
  end: string
  begin_ms: number
  subject: string
  class_names: string[]
  state: 'planned' | 'open' | 'live' | 'over' | 'cancelled'
  substitute: boolean
  may_begin: boolean
}

export interface Today {
  name: string
  signed_in: boolean
  zone: string
  lessons: TodayLesson[]
}

type DayWord = typeof teacherDay extends Catalogue<infer K> ? K : never

/** What can be done with a lesson now: the word of its button, or why it has none. */
export function deed(lesson: TodayLesson): { start: DayWord } | { why: DayWord } {
  if (lesson.state === 'cancelled') return { why: 'gone' }
  if (lesson.may_begin) return { start: lesson.state === 'live' || lesson.state === 'over' ? 'again' : 'start' }
  return { why: lesson.state === 'over' ? 'ended' : 'early' }
}

/** The lesson that is next: the first that can be begun or is still to come. */
export function nextLesson(lessons: TodayLesson[]): TodayLesson | undefined {
  const coming = lessons.filter(({ state }) => state !== 'over' && state !== 'cancelled')
  return coming.find(({ may_begin }) => may_begin) ?? coming[0]
}

const EARLY_MS = 3_600_000

/** From when a lesson can be begun, on the school's clock. */
export function earliest(lesson: TodayLesson, zone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone })
  return format.format(lesson.begin_ms - EARLY_MS)
}
