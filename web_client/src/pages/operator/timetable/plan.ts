/** The timetable as the operator's tab works with it. */

import { onScopeDispose, reactive } from 'vue'
import { CodedError } from '../../../shared/protocol'
import type { Console } from '../console'
import { sendTable, type TableFault } from '../download'
import { addDays, mondayOf, type Weekday } from './week'

export type Mode = 'live' | 'recorded' | 'observe'
export type LessonState = 'planned' | 'open' | 'live' | 'over' | 'cancelled'

interface Shared {
  begin: string
  end: string
  subject: string
  teacher: string
  teacher_name: string
  classes: string[]
  class_names: string[]
  mode: Mode
  record: boolean
  clip: string | null
}

export interface Period extends Shared {
  id: number
  weekday: Weekday
  login: string
  first_day: string | null
  last_day: string | null
}

export interface Lesson extends Shared {
  id: string
  period: number
  planned_day: string
  day: string
  begin_ms: number
  end_ms: number
  state: LessonState
  cancelled: boolean
  substitute: boolean
  moved: boolean
  code: string | null
  receivers: number
}

export interface PlanView {
  server_ms: number
  zone: string
  today: string
  periods: Period[]
  lessons: Lesson[]
  teachers: { id: string; login: string; name: string; school: string }[]
  classes: { id: string; school: string; name: string }[]
}

export interface PlanChange {
  added: Period[]
  changed: Period[]
  ended: Period[]
  kept: number
}

export interface Policy {
  level: 'county' | 'school' | 'class'
  owner: string
  name: string
  school?: string
  own: Record<string, number | string>
}

/** What is asked of one day; null is as in the plan. */
export interface DayChange {
  lesson: string
  cancelled?: boolean
  teacher?: string | null
  day?: string | null
  begin?: string | null
  end?: string | null
}

const LOOK_EVERY_MS = 10_000

function initialState() {
  return {
    plan: null as PlanView | null,
    monday: null as string | null,
    busy: false,
    fault: null as string | null,
    faults: [] as TableFault[],
    file: null as File | null,
    preview: null as PlanChange | null,
    policies: [] as Policy[],
    defaults: {} as Record<string, number | string>,
  }
}

/** One operator's work on the timetable. */
export class Timetable {
  readonly state = reactive(initialState())

  constructor(private readonly session: Console) {
    void this.load()
    const ticker = setInterval(() => void this.load(), LOOK_EVERY_MS)
    onScopeDispose(() => clearInterval(ticker))
  }

  /** Shows another week; null is the present one. */
  show(monday: string | null): Promise<void> {
    this.state.monday = monday
    return this.load()
  }

  /** Whether it was kept; faults of fields are in `faults`. */
  change(change: DayChange): Promise<boolean> {
    return this.act(() => this.session.api.ask('POST', '/api/plan/changes', change))
  }

  undo(lesson: Lesson): Promise<boolean> {
    return this.act(() => this.session.api.ask('DELETE', `/api/plan/changes/${lesson.id}`))
  }

  put(number: number, period: object): Promise<boolean> {
    return this.act(() => this.session.api.ask('PUT', `/api/plan/periods/${number}`, period))
  }

  end(period: Period): Promise<boolean> {
    return this.act(() => this.session.api.ask('DELETE', `/api/plan/periods/${period.id}`))
  }

  /** Shows what a file would change, or its faults. */
  look(file: File): Promise<boolean> {
    Object.assign(this.state, { file, preview: null })
    return this.send('?dry=1', (preview) => (this.state.preview = preview))
  }

  apply(): Promise<boolean> {
    return this.send('', () => Object.assign(this.state, { preview: null, file: null }))
  }

  drop(): void {
    Object.assign(this.state, { file: null, preview: null, faults: [], fault: null })
  }

  async loadPolicies(): Promise<void> {
    await this.act(async () => {
      type Answer = { default: Record<string, number | string>; policies: Policy[] }
      const found = await this.session.api.ask<Answer>('GET', '/api/policies')
      Object.assign(this.state, { policies: found.policies, defaults: found.default })
    })
  }

  async setPolicy(policy: Policy, settings: Record<string, number | string | null>): Promise<boolean> {
    const { level, owner } = policy
    const done = await this.act(() => this.session.api.ask('PUT', '/api/policies', { level, owner, settings }))
    if (done) await this.loadPolicies()
    return done
  }

  private send(query: string, done: (change: PlanChange) => void): Promise<boolean> {
    return this.act(async () => {
      if (!this.state.file) return
      const result = await sendTable<PlanChange>(this.session.api, `/api/plan/import${query}`, this.state.file)
      if (Array.isArray(result)) this.state.faults = result
      else done(result)
    })
  }

  private async act(work: () => Promise<unknown>): Promise<boolean> {
    Object.assign(this.state, { busy: true, fault: null, faults: [] })
    try {
      await work()
      await this.load()
      return this.state.faults.length === 0
    } catch (error) {
      const refused = error instanceof CodedError ? error : new CodedError('internal')
      if (refused.code === 'bad_table') this.state.faults = (refused.answer as { errors: TableFault[] }).errors
      else this.state.fault = refused.code
      return false
    } finally {
      this.state.busy = false
    }
  }

  private async load(): Promise<void> {
    const monday = this.state.monday
    const query = monday ? `?from=${monday}&to=${addDays(monday, 6)}` : ''
    try {
      const plan = await this.session.api.ask<PlanView>('GET', `/api/plan${query}`)
      if (this.state.monday === monday) this.state.plan = plan
    } catch (error) {
      this.state.fault = error instanceof CodedError ? error.code : 'internal'
    }
  }
}

/** The Monday that is shown. */
export function shownMonday(state: { monday: string | null; plan: PlanView | null }): string | null {
  return state.monday ?? (state.plan ? mondayOf(state.plan.today) : null)
}
