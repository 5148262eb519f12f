/** The day of a receiving classroom, as `GET /api/kiosk/day` tells it (PROTOCOL.md 4.3). Times are the server's, in Unix milliseconds. */

export type LessonMode = 'live' | 'recorded' | 'observe'
export type PlanState = 'planned' | 'open' | 'live' | 'over' | 'cancelled'

/** One lesson of the day. */
export interface PlannedLesson {
  id: string
  subject: string
  teacher: string
  begin_ms: number
  end_ms: number
  /** From here on the classroom goes in by itself. */
  enter_ms: number
  mode: LessonMode
  state: PlanState
  /** The recording that a recorded lesson plays. */
  clip: string | null
  /** A recording of this lesson that this classroom may watch. */
  missed: string | null
}

/** Time to look out of the window. */
export interface Rest {
  begin_ms: number
  end_ms: number
}

/** All classrooms take a lesson together, to try everything. */
export interface Rehearsal {
  id: string
  lesson: string
  begin_ms: number
  end_ms: number
}

/** A recording that will be needed. */
export interface ClipWanted {
  recording: string
  bytes: number
  use_ms: number
}

export interface Policy {
  enter_before_s: number
  check_before_s: number
  break_min: number
  data_cap_mb: number | null
  /** `HH:MM-HH:MM` in the day's zone, in which clips are downloaded; empty: at any time. */
  clip_window: string
  /** What clips may cost in a month. */
  clip_budget_mb: number
}

export interface Day {
  server_ms: number
  zone: string
  /** yyyy-mm-dd in `zone`. */
  date: string
  classroom: { id: string; school: string; class: string; name: string }
  policy: Policy
  lessons: PlannedLesson[]
  breaks: Rest[]
  clips: ClipWanted[]
  /** The lesson before which the line is to be checked now, and the rehearsal that is on. */
  asks: { check: string | null; rehearsal?: Rehearsal | null }
}

/** Time of day and date in the school's zone, which is not always the computer's. */
export function timeIn(zone: string, ms: number, language: 'zh' | 'en', how: 'time' | 'date'): string {
  const tag = language === 'zh' ? 'zh-CN' : 'en-GB'
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const date = { month: 'long', day: 'numeric', weekday: 'long' } as const
  return new Intl.DateTimeFormat(tag, { ...(how === 'time' ? time : date), timeZone: zone }).format(ms)
}

/** Minutes since midnight in the zone. */
export function minuteOfDay(zone: string, ms: number): number {
  const [hours = '0', minutes = '0'] = timeIn(zone, ms, 'en', 'time').split(':')
  return Number(hours) * 60 + Number(minutes)
}
