/** What outlives a power cut: the last known day, and what the class did and missed on it. */

import type { Spent } from './clips/plan'
import type { Day } from './day'
import type { Watched } from './missed'
import type { Kiosk } from './state'

const KEY = 'zd.kiosk'

export interface Memory {
  day: Day | null
  /** What the server's clock was ahead of the computer's when it was last heard. */
  ahead_ms: number
  /** By lesson: until when it was watched, and what was missed before. */
  watched: Record<string, Watched>
  /** Lessons whose missed part was looked at. */
  made_up: string[]
  left: readonly string[]
  rated: readonly string[]
  skipped: readonly number[]
  byHand: boolean
  /** What recordings have cost this month. */
  spent: Spent
}

const empty = (): Memory => ({
  ...{ day: null, ahead_ms: 0, watched: {}, made_up: [], left: [], rated: [], skipped: [], byHand: false },
  spent: { month: '', bytes: 0 },
})

/** The memory of the last time; an unreadable one is none. */
export function recall(store: Pick<Storage, 'getItem'> = localStorage): Memory {
  try {
    return { ...empty(), ...(JSON.parse(store.getItem(KEY) ?? '{}') as Partial<Memory>) }
  } catch {
    return empty()
  }
}

/** Writes it down; a full disk costs only the next start. */
export function keep(memory: Memory, store: Pick<Storage, 'setItem'> = localStorage): void {
  try {
    store.setItem(KEY, JSON.stringify(memory))
  } catch {
    // The page works without.
  }
}

/** The part of the state that a restart must not lose. */
export function lasting(kiosk: Kiosk): Pick<Memory, 'day' | 'left' | 'rated' | 'skipped' | 'byHand'> {
  const { day, left, rated, skipped, byHand } = kiosk
  return { day, left, rated, skipped, byHand }
}
