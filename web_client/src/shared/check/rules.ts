/** From findings to a verdict: the table that `zhuandi doctor` judges by, too (signaling/checks/rules.json). */

import written from '../../../../signaling/checks/rules.json'
import type { Language } from '../text'
import type { Facts, Level } from './facts'

type Text = Record<Language, string>
type Comparison = 'is' | 'in' | 'below' | 'at_least'
type Condition = [fact: string, how: Comparison, wanted: string | number | string[]]

export interface Rule extends Text {
  id: string
  level: Level
  when: Condition[]
  steps: string[]
}

interface Table {
  levels: Record<Level, Text>
  steps: Record<string, Text>
  rules: Rule[]
}

export interface Verdict {
  rule: string
  level: Level
  sentence: string
  cause: string
  steps: string[]
}

export const TABLE = written as unknown as Table

/** The first rule that holds; the last one always does. */
export function judge(facts: Partial<Facts>): Rule {
  const values = valuesOf(facts)
  const found = TABLE.rules.find((rule) => rule.when.every((condition) => holds(values, condition)))
  if (!found) throw new Error('no rule holds')
  return found
}

/** What to tell people. */
export function verdictOf(facts: Partial<Facts>, language: Language): Verdict {
  const rule = judge(facts)
  const values = valuesOf(facts)
  return {
    rule: rule.id,
    level: rule.level,
    sentence: TABLE.levels[rule.level][language],
    cause: fill(rule[language], values),
    steps: rule.steps.map((step) => fill(TABLE.steps[step]?.[language] ?? '', values)),
  }
}

type Values = Record<string, string | number | undefined>

function valuesOf(facts: Partial<Facts>): Values {
  const percent = facts.down_loss === undefined ? {} : { down_loss_percent: Math.round(100 * facts.down_loss) }
  return { ...facts, ...percent }
}

/** What is not known meets no condition. */
function holds(values: Values, [fact, how, wanted]: Condition): boolean {
  const value = values[fact]
  if (value === undefined) return false
  if (how === 'is') return value === wanted
  if (how === 'in') return (wanted as string[]).includes(String(value))
  return how === 'below' ? value < wanted : value >= wanted
}

function fill(sentence: string, values: Values): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? '?'))
}
