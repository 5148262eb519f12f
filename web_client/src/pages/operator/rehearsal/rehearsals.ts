/** The operator's view of rehearsals: the present one or the last, looked at every two seconds while it is on. */

import { computed, onScopeDispose, reactive } from 'vue'
import { CodedError } from '../../../shared/protocol'
import type { Console } from '../console'

const LOOK_EVERY_MS = 2000
export type Mark = 'ok' | 'poor' | 'bad' | 'unknown'
export const MARKS = ['joins', 'sound', 'slides', 'link', 'device'] as const

export interface Row extends Record<(typeof MARKS)[number], Mark> {
  classroom: string
  school: string
  class: string
  name: string
  code: string
  zh: string
  en: string
}

export interface Rehearsal {
  id: string
  begin_ms: number
  end_ms: number
  state: 'on' | 'over'
  rows: Row[]
}

/** `begin` and `stop` are what the operator presses. */
export class Rehearsals {
  readonly state = reactive({ one: null as Rehearsal | null, loaded: false, fault: null as 'busy' | 'failed' | null })
  readonly on = computed(() => this.state.one?.state === 'on')

  constructor(private readonly session: Console) {
    const ticker = setInterval(() => this.on.value && void this.look(), LOOK_EVERY_MS)
    onScopeDispose(() => clearInterval(ticker))
    void this.last()
  }

  readonly begin = (): Promise<void> => this.attempt(async (api) => {
    this.state.one = await api.ask<Rehearsal>('POST', '/api/rehearsals')
  })

  readonly stop = (): Promise<void> => this.attempt(async (api) => {
    await api.ask('DELETE', `/api/rehearsals/${this.state.one?.id}`)
    await this.look()
  })

  /** The one that is on, or the newest. */
  private last(): Promise<void> {
    return this.attempt(async (api) => {
      const [newest] = (await api.ask<{ rehearsals: { id: string }[] }>('GET', '/api/rehearsals')).rehearsals
      if (newest) this.state.one = await api.ask<Rehearsal>('GET', `/api/rehearsals/${newest.id}`)
      this.state.loaded = true
    })
  }

  private look(): Promise<void> {
    return this.attempt(async (api) => {
      this.state.one = await api.ask<Rehearsal>('GET', `/api/rehearsals/${this.state.one?.id}`)
    })
  }

  private async attempt(work: (api: Console['api']) => Promise<void>): Promise<void> {
    try {
      await work(this.session.api)
      this.state.fault = null
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'internal'
      // One that never found its lesson is forgotten.
      if (code === 'bad_message') this.state.one = null
      this.state.fault = code === 'busy' ? 'busy' : 'failed'
    }
  }
}
