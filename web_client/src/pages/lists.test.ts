import { describe, expect, it } from 'vitest'
import type { LibraryEntry } from '../shared/api'
import type { TableRow } from '../shared/protocol'
import { found } from './library/finding'
import { pressed, sorted } from './operator/sorting'
import { systemOf } from './trust/systems'

const row = (name: string, loss: number | null, rest: Partial<TableRow> = {}): TableRow => ({
  id: name,
  name,
  role: 'classroom',
  state: 'connected',
  recv_bps: null,
  send_bps: null,
  loss,
  layer: null,
  rtt_ms: null,
  last_keyframe_s: null,
  ...rest,
})

describe('the operator’s table', () => {
  const rows = [row('b', 0.1), row('a', null), row('c', 0.02), row('d', 0.1)]
  const names = (down: boolean) => sorted(rows, { by: 'loss', down }).map((one) => one.name)

  it('sorts by number, the unknown last either way, equals by name', () => {
    expect(names(true)).toEqual(['b', 'd', 'c', 'a'])
    expect(names(false)).toEqual(['c', 'b', 'd', 'a'])
  })

  it('leaves the rows as they came', () => {
    sorted(rows, { by: 'name', down: true })
    expect(rows.map((one) => one.name)).toEqual(['b', 'a', 'c', 'd'])
  })

  it('turns round on the second press', () => {
    expect(pressed({ by: 'name', down: false }, 'name')).toEqual({ by: 'name', down: true })
    expect(pressed({ by: 'name', down: true }, 'loss')).toEqual({ by: 'loss', down: false })
  })
})

describe('search', () => {
  const entry = (title: string, teacher: string) => ({ title, teacher }) as LibraryEntry
  const entries = [entry('五年级数学', '王老师'), entry('Unit 4 Animals', 'Ms Li')]

  it('finds every word in title or teacher, whatever its case', () => {
    expect(found(entries, '王 数学')).toEqual([entries[0]])
    expect(found(entries, 'ANIMALS li')).toEqual([entries[1]])
    expect(found(entries, '  ')).toEqual(entries)
    expect(found(entries, '英语')).toEqual([])
  })
})

it.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 'windows'],
  ['Mozilla/5.0 (Linux; Android 13; SM-T970)', 'android'],
  ['Mozilla/5.0 (X11; Linux x86_64)', 'linux'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', 'macos'],
  ['', 'windows'],
])('%j runs on %s', (agent, system) => {
  expect(systemOf(agent)).toBe(system)
})
