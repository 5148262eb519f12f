import { expect, it } from 'vitest'
import { TABS, tabAfter, tabOf, tabsFor } from './tabs'

it('opens the tab that the address names, and the first for anything else', () => {
  expect(tabOf('?tab=people')).toBe('people')
  expect(tabOf('?tab=nonsense')).toBe('lessons')
  expect(tabOf('')).toBe('lessons')
})

it('moves between tabs with the arrow keys, round both ends', () => {
  const count = TABS.length
  expect(tabAfter('ArrowRight', count - 1, count)).toBe(0)
  expect(tabAfter('ArrowLeft', 0, count)).toBe(count - 1)
  expect(tabAfter('End', 0, count)).toBe(count - 1)
  expect(tabAfter('Home', 1, count)).toBe(0)
  expect(tabAfter('Enter', 0, count)).toBeNull()
})

it('shows each role only what it may use', () => {
  expect(tabsFor('operator')).toEqual(TABS)
  expect(tabsFor('patrol').map((tab) => tab.id)).not.toContain('people')
  expect(tabsFor('patrol').map((tab) => tab.id)).toContain('lessons')
})
