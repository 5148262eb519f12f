/** The way to the server's pages, as far as a page can tell: the network, HTTP, and a lasting WebSocket. */

import { signalUrl } from '../signal'
import { within } from './desk'
import type { Found } from './facts'

const PATIENCE_MS = 8000

/** Facts of the way. */
export async function reach(): Promise<Found> {
  const found: Found = await http()
  if (found.reach !== 'ok') return found
  found.tls = location.protocol === 'https:' ? 'ok' : 'plain'
  return found.http === 'ok' ? { ...found, socket: await socket() } : found
}

async function http(): Promise<Found> {
  try {
    const answer = await within(PATIENCE_MS, fetch('/healthz', { cache: 'no-store', redirect: 'manual' }))
    if (answer.status >= 500) return { reach: 'ok', http: 'fault' }
    const body = (await answer.json().catch(() => null)) as { ok?: unknown } | null
    return { reach: 'ok', http: body?.ok === true ? 'ok' : 'stranger' }
  } catch {
    return { reach: navigator.onLine ? 'silent' : 'no_network' }
  }
}

/** Before its `hello` the server answers pings alone. */
async function socket(): Promise<'ok' | 'blocked'> {
  const line = new WebSocket(signalUrl())
  const answered = new Promise<boolean>((resolve) => {
    line.onopen = () => line.send(JSON.stringify({ type: 'ping', t: 0 }))
    line.onmessage = (event) => resolve(/"pong"/.test(String(event.data)))
    line.onclose = line.onerror = () => resolve(false)
  })
  const good = await within(PATIENCE_MS, answered).catch(() => false)
  line.close()
  return good ? 'ok' : 'blocked'
}
