import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import type { ClientMessage, Places, Tile, Tiles } from '../../../shared/protocol'
import { actOn } from './keys'
import { arranged, numbered } from './order'
import { Room } from './room'
import { titleOf } from './words'

const tile = (id: number, change: Partial<Tile> = {}): Tile => ({
  id,
  sub: `c-${id}`,
  name: `教室 ${id}`,
  school: '',
  class: '',
  online: true,
  hand: null,
  stage: null,
  reason: 'ok',
  estimate_kbps: 0,
  camera: 720,
  screen: 1080,
  microphone: 'on',
  ...change,
})
const tiles = (rows: Tile[], order = rows.map(({ id }) => id), hush = false): Tiles => ({ type: 'tiles', rows, order, hush, locked: false })

describe('the order of the wall', () => {
  it('is the need that the server names, pinned ones first', () => {
    expect(arranged([], [3, 1, 2], [2], false)).toEqual([2, 3, 1])
  })

  it('stands still under a hand, and shows who is new last', () => {
    expect(arranged([1, 2, 3], [4, 3, 1], [], true)).toEqual([1, 3, 4])
  })

  it('leaves a number with its tile while that is among the first nine', () => {
    const first = numbered(new Map(), [11, 12, 13])
    expect([...first]).toEqual([[1, 11], [2, 12], [3, 13]])
    const later = numbered(first, [13, 11, 14])
    expect(later.get(3)).toBe(13)
    expect(later.get(1)).toBe(11)
    expect(later.get(2)).toBe(14)
  })

  it('has nine numbers', () => {
    const many = Array.from({ length: 12 }, (_, at) => at + 100)
    expect([...numbered(new Map(), many).keys()].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})

describe('the room', () => {
  let scope: EffectScope
  let sent: ClientMessage[]
  let room: Room
  let removed: string[]

  beforeEach(() => {
    vi.useFakeTimers()
    sent = []
    removed = []
    scope = effectScope()
    room = scope.run(
      () =>
        new Room({
          send: (message) => sent.push(message) > 0,
          remove: (sub) => Promise.resolve(removed.push(sub)),
        }),
    ) as Room
  })
  afterEach(() => {
    scope.stop()
    vi.useRealTimers()
  })
  const stage = (...places: [number | null, number | null]) => {
    const named = places.map((id) => (id === null ? null : { id, name: '', own: false })) as unknown as Places
    room.hear({ type: 'stage', places: named, taken_over: null })
  }

  it('knows all tiles though only those that changed are told', () => {
    room.hear(tiles([tile(1), tile(2)]))
    room.hear(tiles([tile(2, { hand: 1 })], [2, 1]))
    expect(room.tiles.value.map(({ id, hand }) => [id, hand])).toEqual([[2, 1], [1, null]])
    room.hear(tiles([], [1]))
    expect(room.tiles.value.map(({ id }) => id)).toEqual([1])
    expect(room.hands.value).toEqual([])
  })

  it('calls the tile whose number is pressed, and ends it by the same key', () => {
    room.hear(tiles([tile(41), tile(42)]))
    room.press(2)
    expect(sent).toEqual([{ type: 'stage', id: 42, on: true }])
    expect(room.state.calling).toEqual([42])
    stage(42, null)
    expect(room.state.calling).toEqual([])
    room.press(2)
    room.press(9)
    expect(sent.slice(1)).toEqual([{ type: 'stage', id: 42, on: false }])
  })

  it('says why nobody more can be called', () => {
    room.hear(tiles([tile(1), tile(2), tile(3)]))
    stage(1, 2)
    room.call(3)
    expect(room.state.refusal).toBe('full')
    room.hear(tiles([], [1, 2, 3], true))
    room.call(3)
    expect(room.state.refusal).toBe('hushed')
    expect(sent).toEqual([])
    room.endAll()
    expect(sent).toEqual([1, 2].map((id) => ({ type: 'stage', id, on: false })))
  })

  it('takes a refusal of the server for its own, and leaves other faults to the page', () => {
    expect(room.refused('full'), 'nothing was done here').toBe(false)
    room.call(1)
    expect(room.refused('full')).toBe(true)
    expect(room.state.refusal).toBe('full')
    vi.advanceTimersByTime(10_000)
    expect(room.state.refusal).toBeNull()
    room.call(1)
    expect(room.refused('disk_full')).toBe(false)
  })

  it('tells what is on the screen once it rests there, and again after a reconnect', () => {
    room.hear(tiles([tile(1), tile(2), tile(3)]))
    room.show([1])
    room.show([1, 2])
    vi.advanceTimersByTime(1000)
    expect(sent).toEqual([{ type: 'wall', visible: [1, 2], pinned: [] }])
    room.pin(3)
    expect(room.tiles.value[0]?.id).toBe(3)
    sent.length = 0
    room.welcomed()
    expect(sent).toEqual([{ type: 'wall', visible: [1, 2], pinned: [3] }])
  })

  it('pins two, the newest ones, and lets go of who is gone', () => {
    room.hear(tiles([tile(1), tile(2), tile(3)]))
    for (const id of [1, 2, 3]) room.pin(id)
    expect(room.state.pinned).toEqual([2, 3])
    room.hear(tiles([], [1, 3]))
    expect(room.state.pinned).toEqual([3])
  })

  it('removes by the name that the server knows it by', async () => {
    room.hear(tiles([tile(1)]))
    await room.remove(1)
    expect(removed).toEqual(['c-1'])
  })

  it('falls silent when no more levels come', () => {
    room.hear({ type: 'levels', rows: [[1, 30]] })
    expect(room.levels.get(1)).toBe(30)
    vi.advanceTimersByTime(2000)
    expect(room.levels.size).toBe(0)
  })
})

describe('keys', () => {
  const press = (key: string, target: Element = document.body, change: KeyboardEventInit = {}) => {
    const done: string[] = []
    const event = new KeyboardEvent('keydown', { key, bubbles: true, ...change })
    Object.defineProperty(event, 'target', { value: target })
    actOn(event, { press: (number) => done.push(String(number)), escape: () => done.push('escape') })
    return done
  }

  it('are the digits from 1 and Escape', () => {
    expect(['1', '9', '0', 'Escape', 'a'].flatMap((key) => press(key))).toEqual(['1', '9', 'escape'])
  })

  it('belong to a field that has the focus, to a question that is asked, and to the browser', () => {
    expect(press('3', document.createElement('input'))).toEqual([])
    expect(press('3', document.body, { ctrlKey: true })).toEqual([])
    expect(press('3', document.body, { repeat: true })).toEqual([])
    const dialog = document.body.appendChild(document.createElement('div'))
    dialog.setAttribute('aria-modal', 'true')
    expect(press('Escape')).toEqual([])
    dialog.remove()
  })
})

it('names a classroom by its school and class where its name does not', () => {
  expect(titleOf({ name: '多媒体 2', school: '青山小学', class: '五年级' })).toBe('青山小学 五年级')
  expect(titleOf({ name: '青山小学五年级', school: '青山小学', class: '五年级' })).toBe('青山小学五年级')
  expect(titleOf({ name: '希望小学', school: '', class: '' })).toBe('希望小学')
})
