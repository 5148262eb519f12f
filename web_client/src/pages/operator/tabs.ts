/** The parts of the operator's page; each is one component that gets the session. */

import type { Component } from 'vue'
import { checks } from '../../locales/checks'
import { operator } from '../../locales/operator'
import { people } from '../../locales/people'
import { rehearsal } from '../../locales/rehearsal'
import { dataWords, timetable } from '../../locales/timetable'
import type { Role } from '../../shared/protocol'
import { translator } from '../../shared/text'
import ChecksTab from './checks/ChecksTab.vue'
import LessonsTab from './LessonsTab.vue'
import DataTab from './month/DataTab.vue'
import PeopleTab from './people/PeopleTab.vue'
import RehearsalTab from './rehearsal/RehearsalTab.vue'
import TimetableTab from './timetable/TimetableTab.vue'

export interface Tab {
  id: string
  label: () => string
  view: Component
  /** Who has it; nobody named: everybody who sees the page. */
  roles?: Role[]
}

export const TABS: Tab[] = [
  { id: 'lessons', label: () => translator(operator)('lessons'), view: LessonsTab },
  { id: 'timetable', label: () => translator(timetable)('tab'), view: TimetableTab, roles: ['operator'] },
  { id: 'people', label: () => translator(people)('tab'), view: PeopleTab, roles: ['operator'] },
  { id: 'checks', label: () => translator(checks)('tab'), view: ChecksTab, roles: ['operator'] },
  { id: 'rehearsal', label: () => translator(rehearsal)('tab'), view: RehearsalTab, roles: ['operator'] },
  { id: 'data', label: () => translator(dataWords)('tab'), view: DataTab, roles: ['operator'] },
]

/** The tabs of somebody with this role. */
export const tabsFor = (role: string): Tab[] => TABS.filter((tab) => !tab.roles || tab.roles.some((one) => one === role))

/** The tab that the address names, or the first. */
export function tabOf(search: string): string {
  const named = new URLSearchParams(search).get('tab')
  return TABS.find((tab) => tab.id === named)?.id ?? 'lessons'
}

/** Which tab a key leads to from another; null: it is not for the tabs (WAI-ARIA tabs pattern). */
export function tabAfter(key: string, from: number, count: number): number | null {
  if (key === 'ArrowRight') return (from + 1) % count
  if (key === 'ArrowLeft') return (from + count - 1) % count
  if (key === 'Home') return 0
  return key === 'End' ? count - 1 : null
}
