/** Login and password until somebody is in, as one reactive state. */

import { reactive } from 'vue'
import { Api } from '../../shared/api'
import { CodedError, type Role } from '../../shared/protocol'
import { comeBack, keep, leave, remembered, type SignedIn } from '../../shared/session'

/** Where each role works. */
const HOMES: Record<Role, string> = {
  teacher: '/teacher',
  assistant: '/classroom',
  classroom: '/classroom',
  reviewer: '/library',
  patrol: '/operator',
  operator: '/operator',
}

/** The page that sent somebody here, if it is one of ours, or the role's own. */
export function destination(search: string, role: Role): string {
  const named = new URLSearchParams(search).get('to') ?? ''
  return /^\/(teacher|operator|library|watch|classroom)(\?[\w=&-]*)?$/.test(named) ? named : HOMES[role]
}

function initialState() {
  return {
    phase: 'ask' as 'ask' | 'change' | 'in',
    busy: false,
    fault: null as string | null,
    person: null as SignedIn['person'] | null,
  }
}

/** One visitor at the door. */
export class Entering {
  readonly state = reactive(initialState())
  private readonly api = new Api(() => null)

  constructor(private readonly go: (path: string) => void = (path) => location.assign(path)) {
    if (remembered()) void comeBack().then((found) => found && this.enter(found))
  }

  async signIn(login: string, password: string): Promise<void> {
    const found = await this.ask('/api/sign_in', { login, password })
    if (found) this.goOn(found)
  }

  async change(login: string, password: string, chosen: string): Promise<void> {
    const found = await this.ask('/api/password', { login, password, new: chosen })
    if (found) this.goOn(found)
  }

  readonly onward = (): void => {
    if (this.state.person) this.go(destination(location.search, this.state.person.role))
  }

  readonly signOut = async (): Promise<void> => {
    await leave().catch(() => undefined)
    Object.assign(this.state, initialState())
  }

  private goOn(found: SignedIn): void {
    keep(found)
    this.enter(found)
    this.onward()
  }

  private enter(found: SignedIn): void {
    Object.assign(this.state, { phase: 'in', person: found.person, fault: null })
  }

  private async ask(path: string, body: object): Promise<SignedIn | null> {
    Object.assign(this.state, { busy: true, fault: null })
    try {
      return await this.api.ask<SignedIn>('POST', path, body)
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'internal'
      if (code === 'must_change') this.state.phase = 'change'
      else this.state.fault = code
      return null
    } finally {
      this.state.busy = false
    }
  }
}
