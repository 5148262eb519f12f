import { describe, expect, it } from 'vitest'
import type { LibraryEntry } from '../shared/api'
import type { TableRow } from '../shared/protocol'
import { language } from '../shared/text'
import { found } from './library/finding'
import { cell, isBad } from './operator/cells'
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
  reason: null,
  estimate_kbps: null,
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

describe('a cell', () => {
  const titles = new Map([['x', '五年级数学']])
  const teacher = row('王', 0.002, { layer: 'lmh', lesson: 'x', send_bps: 1_700_000, recv_bps: 12_000, rtt_ms: 23.4 })

  it('says in words what the server counts', () => {
    language.value = 'zh'
    const words = (['lesson', 'state', 'send_bps', 'recv_bps', 'loss', 'layer', 'rtt_ms', 'last_keyframe_s'] as const).map(
      (column) => cell(teacher, column, titles),
    )
    expect(words).toEqual(['五年级数学', '已接通', '1.7 Mbit/s', '0.01 Mbit/s', '0.2%', '低 · 中 · 高', '23 ms', '–'])
    expect(cell(row('a', null, { layer: 'paused', state: 'strange' }), 'layer', titles)).toBe('已暂停')
    expect(cell(row('a', null, { state: 'strange' }), 'state', titles)).toBe('strange')
  })

  it('names what holds an end back, and the rate behind it', () => {
    language.value = 'zh'
    const gets = (rest: Partial<TableRow>) => cell(row('a', null, rest), 'reason', titles)
    expect(gets({ reason: 'link_slow', estimate_kbps: 183 })).toBe('网络慢 180 kbit/s')
    expect([gets({ reason: 'link_out', estimate_kbps: 0 }), gets({ reason: 'ok' }), gets({})]).toEqual(['已中断', '完整', '–'])
  })

  it('stands out where somebody should look', () => {
    expect([row('a', 0.06), row('b', 0.01), row('c', null, { state: 'away' })].map(isBad)).toEqual([true, false, true])
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
