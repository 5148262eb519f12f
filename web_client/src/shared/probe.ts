/**
 * Finds out that a cut line is back while an attempt to connect still hangs in TCP's doubling waits.
 *
 * Browsers connect one WebSocket at a time to a host (RFC 6455, 4.1), so a second one could not overtake it; a small request can.
 */

const EVERY_MS = 1000
const GIVE_UP_MS = 3000

/** Asks the server for a sign of life once a second until stopped; `alive` hears of one. */
export function probe(alive: () => void, path = '/healthz'): () => void {
  const asked = new Set<AbortController>()
  const ask = () => {
    const one = new AbortController()
    asked.add(one)
    const late = setTimeout(() => one.abort(), GIVE_UP_MS)
    fetch(path, { cache: 'no-store', signal: one.signal })
      .then(
        () => asked.has(one) && alive(),
        () => undefined,
      )
      .finally(() => {
        clearTimeout(late)
        asked.delete(one)
      })
  }
  const timer = setInterval(ask, EVERY_MS)
  return () => {
    clearInterval(timer)
    for (const one of asked) one.abort()
    asked.clear()
  }
}
