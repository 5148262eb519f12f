/** The HTTP side of a check: begun, offered, carried, heard, reported (PROTOCOL.md 4.4). */

import { CodedError } from '../protocol'
import type { Facts } from './facts'

const ANSWER_WITHIN_MS = 20_000

export interface HeardLeg {
  connected: boolean
  height: number | null
  estimate_kbps: number
  rtt_ms: number | null
  up_bytes: number
  up_packets: number
  up_lost: number
}

export interface Heard {
  now_ms: number
  legs: HeardLeg[]
}

/** Who checks: a token, the operator's code of the day, or nothing on a paired classroom. */
export interface Asker {
  token?: string | null
  code?: string
}

/** Too many check just now; the server says when to come again. */
export class Busy extends CodedError {
  constructor(readonly retry_s: number) {
    super('busy')
  }
}

/** One check at the server. */
export class Desk {
  private check = ''

  constructor(private readonly asker: Asker) {}

  async begin(): Promise<void> {
    this.check = (await this.ask<{ check: string }>('POST', '/begin', { code: this.asker.code ?? '' })).check
  }

  offer(sdp: string): Promise<{ leg: number; sdp: string }> {
    return this.ask('POST', `/${this.check}/offer`, { sdp })
  }

  carry(leg: number | null): Promise<unknown> {
    return this.ask('POST', `/${this.check}/carry`, { leg })
  }

  heard(): Promise<Heard> {
    return this.ask('GET', `/${this.check}/heard`)
  }

  end(): Promise<unknown> {
    return this.check ? this.ask('POST', `/${this.check}/end`, {}) : Promise.resolve()
  }

  async report(facts: Facts, lesson: string | undefined): Promise<string> {
    const body = { facts, lesson: lesson ?? '', code: this.asker.code ?? '' }
    return (await this.ask<{ code: string }>('POST', '', body)).code
  }

  private async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' }
    if (this.asker.token) headers.Authorization = `Bearer ${this.asker.token}`
    const request: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' }
    if (body) request.body = JSON.stringify(body)
    const response = await within(ANSWER_WITHIN_MS, fetch(`/api/checks${path}`, request)).catch(() => {
      throw new CodedError('offline')
    })
    if (response.status === 503) throw new Busy(Number(response.headers.get('Retry-After')) || 20)
    const value = (await response.json().catch(() => ({}))) as T & { code?: string; detail?: string }
    if (!response.ok) throw new CodedError(value.code ?? 'internal', value.detail)
    return value
  }
}

/** What `promise` brings, or a rejection after so long. */
export function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new CodedError('timeout')), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export const pause = (ms: number) => new Promise<void>((go) => setTimeout(go, ms))
