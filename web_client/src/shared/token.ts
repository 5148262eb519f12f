/** The page's token: it arrives in the fragment, moves to storage, and is renewed before it expires. */

import { serverNow } from './clock'

const KEY = 'zd.token'
const RENEW_AT_SHARE = 0.7
const RENEW_LATEST_BEFORE_MS = 60_000
const RETRY_MS = 20_000
const MAX_TIMER_MS = 12 * 3600_000

export interface Claims {
  name: string
  role: string
  lesson: string | null
  issued_ms: number
  expires_ms: number
}

interface RawClaims {
  sub?: string
  name?: string
  nbf?: number
  exp?: number
  video?: { room?: string }
  zd?: { role?: string }
}

/** What a token says, read without trust: the server verifies, the page only shows. */
export function readClaims(token: string): Claims | null {
  const body = token.split('.')[1]
  if (!body) return null
  try {
    const bytes = atob(body.replace(/-/g, '+').replace(/_/g, '/'))
    const text = decodeURIComponent(Array.from(bytes, escapeByte).join(''))
    const raw = JSON.parse(text) as RawClaims
    return {
      name: raw.name ?? raw.sub ?? '',
      role: raw.zd?.role ?? '',
      lesson: raw.video?.room || null,
      issued_ms: (raw.nbf ?? 0) * 1000,
      expires_ms: (raw.exp ?? 0) * 1000,
    }
  } catch {
    return null
  }
}

function escapeByte(char: string): string {
  return `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}

/** The token in a pasted link, a fragment or bare text. */
export function tokenIn(text: string): string | null {
  const inFragment = /[#&?]token=([\w.~-]+)/.exec(text)
  const candidate = inFragment?.[1] ?? text.trim()
  return readClaims(candidate) ? candidate : null
}

/** Where a token lives: this tab only, or also across restarts of a classroom's computer. */
export class TokenStore {
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly lasting = false) {}

  /** Takes the token out of the address bar, so that it is neither bookmarked nor photographed. */
  adopt(at: Location = location, past: History = history): string | null {
    const found = tokenIn(at.hash)
    if (found) {
      this.set(found)
      past.replaceState(past.state, '', at.pathname + at.search)
    }
    return this.get()
  }

  get(): string | null {
    return sessionStorage.getItem(KEY) ?? (this.lasting ? localStorage.getItem(KEY) : null)
  }

  set(token: string): void {
    sessionStorage.setItem(KEY, token)
    if (this.lasting) localStorage.setItem(KEY, token)
  }

  clear(): void {
    clearTimeout(this.timer)
    sessionStorage.removeItem(KEY)
    if (this.lasting) localStorage.removeItem(KEY)
  }

  /** Keeps the token fresh with `renew`; a failure is tried again until it works. */
  keepFresh(renew: () => Promise<string>, now = serverNow()): void {
    clearTimeout(this.timer)
    const claims = readClaims(this.get() ?? '')
    if (!claims?.expires_ms) return
    const wait = renewIn(claims, now)
    this.timer = setTimeout(() => {
      renew().then(
        (token) => {
          this.set(token)
          this.keepFresh(renew)
        },
        () => {
          this.timer = setTimeout(() => this.keepFresh(renew), RETRY_MS)
        },
      )
    }, wait)
  }
}

/** Milliseconds until a token should be renewed. */
export function renewIn(claims: Claims, now: number): number {
  const life = claims.expires_ms - (claims.issued_ms || now)
  const at = Math.min(claims.expires_ms - life * (1 - RENEW_AT_SHARE), claims.expires_ms - RENEW_LATEST_BEFORE_MS)
  return Math.min(MAX_TIMER_MS, Math.max(1000, at - now))
}

/** An id of this tab that survives F5 and tells two classrooms of one token apart. */
export function tabId(): string {
  const key = 'zd.tab'
  const known = sessionStorage.getItem(key)
  if (known) return known
  const bytes = crypto.getRandomValues(new Uint8Array(9))
  const made = Array.from(bytes, (byte) => byte.toString(36).padStart(2, '0')).join('')
  sessionStorage.setItem(key, made)
  return made
}
