/** Where a viewer stopped, kept in the browser alone. */

const KEY = 'zd.watched'
const KEPT_LESSONS = 50
const TOO_EARLY_S = 5
const TOO_LATE_S = 15

type Places = Record<string, number>

function all(): Places {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Places
  } catch {
    return {}
  }
}

/** Remembers a place; the oldest lessons are forgotten. */
export function keepPlace(id: string, position: number): void {
  const { [id]: _old, ...others } = all()
  const entries = [...Object.entries(others), [id, Math.round(position * 10) / 10] as const]
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-KEPT_LESSONS))))
}

/** Where to go on; the beginning and the end count as not begun. */
export function placeOf(id: string, duration: number): number {
  const place = all()[id] ?? 0
  return place > TOO_EARLY_S && place < duration - TOO_LATE_S ? place : 0
}
