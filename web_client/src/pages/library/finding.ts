/** Search in the list of lessons. */

import type { LibraryEntry } from '../../shared/api'

/** Entries whose title or teacher holds every word that was typed. */
export function found(entries: readonly LibraryEntry[], words: string): LibraryEntry[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  return entries.filter((entry) => {
    const text = `${entry.title} ${entry.teacher}`.toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}
