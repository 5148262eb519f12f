/** The HTTP routes of PROTOCOL.md section 4, with errors as codes. */

import { CodedError, type LessonBrief, type Role } from './protocol'

export interface Me {
  role: Role
  name: string
  lesson: LessonBrief | null
  open_by_default?: boolean
}

export interface LessonRow extends LessonBrief {
  teacher?: string
  created_ms?: number
  receivers?: number
  open?: boolean
}

export interface Lessons {
  lessons: LessonRow[]
  open_by_default?: boolean
}

export interface NewLesson extends LessonBrief {
  token?: string
}

export interface LibraryEntry {
  id: string
  title: string
  teacher: string
  state: 'interrupted' | 'final' | 'processing'
  started_ms: number
  duration_s: number
  poster: string | null
}

export interface Track {
  source: 'camera' | 'screen' | 'microphone'
  file: string
  mime: string
  start_s: number
  end_s: number
  width: number | null
  height: number | null
}

export interface Gap {
  source: string
  start_s: number
  end_s: number
  reason: string
}

export interface Manifest {
  id: string
  title: string
  teacher: string
  state: 'interrupted' | 'final'
  started_ms: number
  duration_s: number
  tracks: Track[]
  voice_in: string | null
  gaps: Gap[]
  chapters: { title: string; start_s: number }[]
  poster: string | null
}

/** One caller's view of the server. */
export class Api {
  constructor(private readonly token: () => string | null) {}

  me(): Promise<Me> {
    return this.ask('GET', '/api/me')
  }

  async refresh(): Promise<string> {
    return (await this.ask<{ token: string }>('POST', '/api/token/refresh')).token
  }

  join(code: string, name: string): Promise<{ token: string; lesson: LessonBrief }> {
    return this.ask('POST', '/api/join', { code, name })
  }

  async link(key: string, language: string): Promise<string> {
    return (await this.ask<{ token: string }>('POST', '/api/link', { key, language })).token
  }

  lessons(): Promise<Lessons> {
    return this.ask('GET', '/api/lessons')
  }

  /** `open`: also classrooms that are not registered may come in by the code. */
  createLesson(title: string, open: boolean): Promise<NewLesson> {
    return this.ask('POST', '/api/lessons', { title, open })
  }

  async lessonToken(id: string): Promise<string> {
    return (await this.ask<{ token: string }>('POST', `/api/lessons/${encodeURIComponent(id)}/token`)).token
  }

  closeLesson(id: string): Promise<unknown> {
    return this.ask('POST', `/api/lessons/${encodeURIComponent(id)}/close`)
  }

  /** Takes a participant out of a lesson, for good. */
  remove(lesson: string, sub: string): Promise<unknown> {
    return this.ask('POST', `/api/lessons/${encodeURIComponent(lesson)}/remove`, { sub })
  }

  async library(): Promise<LibraryEntry[]> {
    return (await this.ask<{ entries: LibraryEntry[] }>('GET', '/api/library')).entries
  }

  manifest(id: string): Promise<Manifest> {
    return this.ask('GET', `/api/library/${encodeURIComponent(id)}`)
  }

  mediaSession(): Promise<unknown> {
    return this.ask('POST', '/api/library/session')
  }

  /** One request of JSON in and out; a form goes as it is. */
  async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const headers: Record<string, string> = {}
    const token = this.token()
    if (token) headers.Authorization = `Bearer ${token}`
    const form = body instanceof FormData
    if (body && !form) headers['Content-Type'] = 'application/json'
    const request: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' }
    if (body) request.body = form ? body : JSON.stringify(body)
    const response = await fetch(path, request).catch(() => {
      throw new CodedError('offline')
    })
    const value: unknown = await response.json().catch(() => ({}))
    if (response.ok) return value as T
    const fault = value as { code?: string; detail?: string }
    throw new CodedError(fault.code ?? byStatus(response.status), fault.detail, value)
  }
}

function byStatus(status: number): string {
  if (status === 401) return 'bad_token'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'no_such_lesson'
  if (status === 429) return 'busy'
  return 'internal'
}

/** Path of one immutable file of the library. */
export function mediaPath(lesson: string, file: string): string {
  return `/media/${encodeURIComponent(lesson)}/${encodeURIComponent(file)}`
}
