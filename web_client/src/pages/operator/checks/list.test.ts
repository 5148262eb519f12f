import { expect, it } from 'vitest'
import { newestOfEach, troubled, type Finding } from './list'

const finding = (code: string, at_ms: number, level: Finding['level'], more: Partial<Finding> = {}): Finding => ({
  code,
  at_ms,
  device: null,
  name: '',
  lesson: null,
  rule: level,
  level,
  facts: {},
  ...more,
})

it('shows the newest finding of each classroom, the worst first', () => {
  const rows = newestOfEach([
    finding('A', 5, 'well', { device: 'd1' }),
    finding('B', 3, 'not_now', { device: 'd1' }),
    finding('C', 4, 'limited', { device: 'd2' }),
    finding('D', 6, 'not_now', { device: 'd3' }),
    finding('E', 7, 'unfinished', { name: '枫林小学' }),
  ])
  expect(rows.map((row) => row.code)).toEqual(['D', 'E', 'C', 'A'])
  expect(troubled(rows)).toBe(1)
})

it('leaves computers without an account apart', () => {
  expect(newestOfEach([finding('A', 1, 'well'), finding('B', 2, 'well')])).toHaveLength(2)
})
