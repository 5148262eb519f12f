/** What the kiosk asks the server (PROTOCOL.md 4.2 and 4.3); the device's cookie says who asks. */

import { CodedError } from '../../../shared/protocol'
import type { Day } from './day'
import type { RehearsalFacts } from './rehearsing'

const WITHIN_MS = 8000

/** An answer to the question for the day. */
export type DayAnswer =
  | { is: 'day'; day: Day; server_ms: number; asked_ms: number; heard_ms: number }
  | { is: 'same'; server_ms: number; asked_ms: number; heard_ms: number }
  | { is: 'unpaired' }

/** The device's view of the server. */
export class KioskServer {
  private etag: string | null = null
  private known: Day | null = null

  /** The day, or that nothing has changed; raises `CodedError` when the server cannot be asked. */
  async day(): Promise<DayAnswer> {
    const asked_ms = performance.now()
    const response = await this.fetch('/api/kiosk/day', this.etag && this.known ? { headers: { 'If-None-Match': this.etag } } : {})
    const heard_ms = performance.now()
    const said_ms = Number(response.headers.get('Zd-Server-Ms'))
    // A server without the route, or without this device, has no day for us.
    if (response.status === 401 || response.status === 403 || response.status === 404) return this.forgotten()
    if (response.status === 304) return { is: 'same', server_ms: said_ms, asked_ms, heard_ms }
    if (!response.ok) throw new CodedError('internal')
    const day = (await response.json()) as Day
    this.etag = response.headers.get('ETag')
    this.known = day
    return { is: 'day', day, server_ms: said_ms || day.server_ms, asked_ms, heard_ms }
  }

  /** A token for a lesson of the plan. */
  async token(lesson: string): Promise<string> {
    return (await this.post<{ token: string }>('/api/device/token', { lesson })).token
  }

  /** Makes this computer the classroom's; the cookie comes with the answer. */
  async pair(code: string): Promise<void> {
    await this.post('/api/device/pair', { code })
  }

  /** How the lesson was, 1 to 3. */
  async rate(lesson: string, stars: number): Promise<void> {
    await this.post('/api/kiosk/rating', { lesson, stars })
  }

  /** What this classroom got of a rehearsal. */
  async rehearsed(facts: RehearsalFacts): Promise<void> {
    await this.post('/api/kiosk/rehearsal', facts)
  }

  private forgotten(): DayAnswer {
    this.etag = null
    this.known = null
    return { is: 'unpaired' }
  }

  private async post<T>(path: string, body: object): Promise<T> {
    const headers = { 'Content-Type': 'application/json' }
    const response = await this.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    const value = (await response.json().catch(() => ({}))) as T & { code?: string; detail?: string }
    if (!response.ok) throw new CodedError(value.code ?? 'internal', value.detail)
    return value
  }

  private async fetch(path: string, options: RequestInit): Promise<Response> {
    const give_up = new AbortController()
    const timer = setTimeout(() => give_up.abort(), WITHIN_MS)
    try {
      return await fetch(path, { ...options, credentials: 'same-origin', cache: 'no-store', signal: give_up.signal })
    } catch {
      throw new CodedError('offline')
    } finally {
      clearTimeout(timer)
    }
  }
}
