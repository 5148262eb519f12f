/** Which stretches of a lesson have something to see or hear, and which are to be skipped. Times in seconds. */

import type { Manifest } from '../../shared/api'

export interface Span {
  from: number
  to: number
}

/** Stretches longer than this in which nothing was recorded are skipped. */
export const SKIP_LONGER_THAN_S = 3

function minus(span: Span, holes: readonly Span[]): Span[] {
  let parts = [span]
  for (const hole of holes) {
    parts = parts.flatMap((part) => {
      if (hole.to <= part.from || hole.from >= part.to) return [part]
      return [
        { from: part.from, to: hole.from },
        { from: hole.to, to: part.to },
      ].filter((rest) => rest.to > rest.from)
    })
  }
  return parts
}

/** Spans joined where they touch or overlap, in order. */
export function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = joined[joined.length - 1]
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else joined.push({ ...span })
  }
  return joined
}

/** All that was recorded, of any source. The voice lies in another source's file but has gaps of its own. */
export function covered(manifest: Pick<Manifest, 'tracks' | 'gaps' | 'voice_in'>): Span[] {
  const spans = manifest.tracks.flatMap((track) => {
    const whole = { from: track.start_s, to: track.end_s }
    const sources = track.source === manifest.voice_in ? new Set([track.source, 'microphone']) : new Set([track.source])
    return [...sources].flatMap((source) => {
      const holes = manifest.gaps.filter((gap) => gap.source === source).map((gap) => ({ from: gap.start_s, to: gap.end_s }))
      return minus(whole, holes)
    })
  })
  return union(spans)
}

/** The stretches that a player jumps over. */
export function silences(manifest: Pick<Manifest, 'tracks' | 'gaps' | 'voice_in' | 'duration_s'>): Span[] {
  const all = minus({ from: 0, to: manifest.duration_s }, covered(manifest))
  return all.filter((span) => span.to - span.from > SKIP_LONGER_THAN_S)
}

/** The silence that a moment lies in. */
export function silenceAt(spans: readonly Span[], at: number): Span | null {
  return spans.find((span) => at >= span.from && at < span.to - 0.05) ?? null
}
