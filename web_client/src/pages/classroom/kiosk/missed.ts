/** What a class did not see of a lesson, in server time, and where that lies in the lesson's recording. */

/** A stretch of a lesson, in server milliseconds. */
export interface Missed {
  from_ms: number
  to_ms: number
}

/** Shorter breaks are not worth a word. */
const WORTH_MS = 5000
/** A little more is played on both sides, so that a sentence is whole. */
export const LEAD_S = 3
const MOST_SPANS = 50

/** With one more break; breaks with less than the lead between them become one. */
export function withBreak(spans: readonly Missed[], one: Missed): Missed[] {
  if (one.to_ms - one.from_ms < WORTH_MS) return [...spans]
  const last = spans[spans.length - 1]
  if (last && one.from_ms - last.to_ms < 2000 * LEAD_S) return [...spans.slice(0, -1), { from_ms: last.from_ms, to_ms: one.to_ms }]
  return [...spans, one].slice(-MOST_SPANS)
}

/** How far a lesson was watched, and what of it was not. */
export interface Watched {
  until_ms: number
  missed: Missed[]
}

/** At `now_ms` picture or sound is there. Whatever lies between the last time and now was missed: a break, a power cut, a late start. */
export function watchedNow(before: Watched | undefined, begin_ms: number, now_ms: number): Watched {
  const { until_ms, missed } = before ?? { until_ms: Math.min(begin_ms, now_ms), missed: [] }
  return { until_ms: Math.max(until_ms, now_ms), missed: withBreak(missed, { from_ms: Math.max(until_ms, begin_ms), to_ms: now_ms }) }
}

/** Seconds in all. */
export function missedSeconds(spans: readonly Missed[]): number {
  return Math.round(spans.reduce((sum, { from_ms, to_ms }) => sum + to_ms - from_ms, 0) / 1000)
}

/** The same stretches on the timeline of a recording that began at `started_ms`; all of it where nothing is named. */
export function onTimeline(spans: readonly Missed[], started_ms: number, duration_s: number): { from: number; to: number }[] {
  if (spans.length === 0) return [{ from: 0, to: duration_s }]
  const place = (ms: number) => (ms - started_ms) / 1000
  const placed = spans.map(({ from_ms, to_ms }) => ({
    from: Math.max(0, place(from_ms) - LEAD_S),
    to: Math.min(duration_s, place(to_ms) + LEAD_S),
  }))
  return placed.filter(({ from, to }) => to > from)
}
