/** Tries the line before a lesson, without anybody's asking, and keeps what came of it for the page. */

import { computed, shallowRef } from 'vue'
import type { Found, Level } from '../../../shared/check/facts'
import { language } from '../../../shared/text'

/** Classrooms of one bell do not all try at the same moment. */
const SPREAD_MS = 300_000
/** A check takes some 20 s; with its waits it is over before the way in. */
const TAKES_MS = 90_000
const PATIENCE_S = 60
/** A line that was well is not tried again for so long: a check costs some 3 MB, and schools pay for them. */
export const GOOD_FOR_MS = 3 * 3_600_000

const LEVELS: Record<Level, 'ok' | 'warn' | 'bad'> = { well: 'ok', limited: 'warn', not_now: 'bad', unfinished: 'warn' }

/** How long a check may wait before it begins, when the way in is so far off. */
export function spread_ms(left_ms: number, random: number): number {
  return random * Math.max(0, Math.min(SPREAD_MS, left_ms - TAKES_MS))
}

/** What the last check found, and when by the steady clock. */
interface Last {
  lesson: string
  facts: Found
  code: string | null
  level: Level
  at_ms: number
}

/** Whether the next lesson can go by this finding. */
export function stillGood(last: Pick<Last, 'level' | 'at_ms'> | null, now_ms: number): boolean {
  return last !== null && last.level === 'well' && now_ms - last.at_ms < GOOD_FOR_MS
}

/** One computer's checks; `look` is to be called now and then. */
export class Checking {
  private readonly found = shallowRef<Last | null>(null)
  private readonly rules = shallowRef<typeof import('../../../shared/check/rules') | null>(null)
  private planned: { lesson: string; at_ms: number } | null = null
  private busy = false

  /** The last finding in words; null before there is one. */
  readonly verdict = computed(() => {
    const { found, rules } = this
    if (!found.value || !rules.value) return null
    const said = rules.value.verdictOf(found.value.facts, language.value)
    const text = [said.sentence, ...(said.level === 'well' ? [] : said.steps.slice(0, 1))].join(' ')
    return { lesson: found.value.lesson, kind: LEVELS[said.level], text, code: said.level === 'well' ? null : found.value.code }
  })

  constructor(private readonly done: (lesson: string) => void) {}

  /** `due` is the lesson to be checked for, `left_ms` how far off the way in is. */
  look(due: string | null, left_ms: number): void {
    if (due === null || this.busy) return
    const now = performance.now()
    if (this.found.value && stillGood(this.found.value, now)) {
      this.found.value = { ...this.found.value, lesson: due }
      this.done(due)
      return
    }
    if (this.planned?.lesson !== due) this.planned = { lesson: due, at_ms: now + spread_ms(left_ms, Math.random()) }
    if (now >= this.planned.at_ms) void this.run(due)
  }

  private async run(lesson: string): Promise<void> {
    this.busy = true
    try {
      const [{ runCheck }, rules] = await Promise.all([import('../../../shared/check/run'), import('../../../shared/check/rules')])
      const { facts, code } = await runCheck({ lesson, patience_s: PATIENCE_S })
      this.rules.value = rules
      const { level } = rules.verdictOf(facts, language.value)
      this.found.value = { lesson, facts, code, level, at_ms: performance.now() }
    } catch {
      // The script did not come: a line that cannot carry it is seen by other signs.
    } finally {
      this.busy = false
      this.done(lesson)
    }
  }
}
