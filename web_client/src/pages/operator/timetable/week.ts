/** Days as the server writes them, YYYY-MM-DD, reckoned without any clock of this machine. */

const DAY_MS = 86_400_000

const utc = (day: string) => Date.parse(`${day}T00:00:00Z`)
const text = (ms: number) => new Date(ms).toISOString().slice(0, 10)

export function addDays(day: string, count: number): string {
  return text(utc(day) + count * DAY_MS)
}

/** 1 Monday to 7 Sunday. */
export type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7
export const WEEKDAYS: Weekday[] = [1, 2, 3, 4, 5, 6, 7]

export function weekdayOf(day: string): Weekday {
  return (new Date(utc(day)).getUTCDay() || 7) as Weekday
}

/** The Monday of a day's week. */
export function mondayOf(day: string): string {
  return addDays(day, 1 - weekdayOf(day))
}

export function weekOf(monday: string): string[] {
  return Array.from({ length: 7 }, (_, index) => addDays(monday, index))
}

/** 2026-11-23 -> 11-23, as calendars have it. */
export function shortDay(day: string): string {
  return `${Number(day.slice(5, 7))}-${Number(day.slice(8))}`
}
