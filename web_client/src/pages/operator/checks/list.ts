/** What classrooms found before the bell: the newest finding of each, the worst first. */

import { onScopeDispose, reactive } from 'vue'
import type { Found, Level } from '../../../shared/check/facts'
import { CodedError } from '../../../shared/protocol'
import type { Console } from '../console'

const LOOK_EVERY_MS = 10_000
const GRAVITY: readonly Level[] = ['not_now', 'unfinished', 'limited', 'well']

export interface Finding {
  code: string
  at_ms: number
  device: string | null
  name: string
  lesson: string | null
  rule: string
  level: Level
  facts: Found
}

/** One row a classroom, its newest; computers without an account each stand for themselves. */
export function newestOfEach(findings: readonly Finding[]): Finding[] {
  const newest = new Map<string, Finding>()
  for (const one of findings) {
    const who = one.device ?? (one.name || one.code)
    const before = newest.get(who)
    if (!before || before.at_ms < one.at_ms) newest.set(who, one)
  }
  const gravity = (one: Finding) => GRAVITY.indexOf(one.level)
  return [...newest.values()].sort((a, b) => gravity(a) - gravity(b) || b.at_ms - a.at_ms)
}

/** How many classrooms need somebody before their bell. */
export const troubled = (rows: readonly Finding[]): number => rows.filter((row) => row.level === 'not_now').length

/** The operator's view of the checks, looked at again every ten seconds. */
export class CheckList {
  readonly state = reactive({
    rows: null as Finding[] | null,
    dayCode: '',
    failed: false,
    asked: '',
    found: null as Finding | null,
    missing: false,
  })

  constructor(private readonly session: Console) {
    const ticker = setInterval(() => void this.load(), LOOK_EVERY_MS)
    onScopeDispose(() => clearInterval(ticker))
    void this.load()
  }

  readonly find = async (): Promise<void> => {
    const code = this.state.asked.replace(/[^0-9a-z]/gi, '')
    if (!code) return
    Object.assign(this.state, { found: null, missing: false })
    try {
      this.state.found = await this.session.api.ask<Finding>('GET', `/api/checks/${code}`)
    } catch (error) {
      const unknown = error instanceof CodedError && error.code === 'no_such_lesson'
      Object.assign(this.state, unknown ? { missing: true } : { failed: true })
    }
  }

  private async load(): Promise<void> {
    try {
      const { api } = this.session
      // Without a time the server answers with its last 24 hours, by its own clock.
      const { checks } = await api.ask<{ checks: Finding[] }>('GET', '/api/checks')
      this.state.rows = newestOfEach(checks)
      this.state.dayCode = (await api.ask<{ code: string }>('GET', '/api/checks/today')).code
      this.state.failed = false
    } catch {
      this.state.failed = true
    }
  }
}
