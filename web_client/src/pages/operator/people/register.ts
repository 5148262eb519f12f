/** The register as the operator's tab works with it. */

import { reactive } from 'vue'
import { CodedError, type Role } from '../../../shared/protocol'
import type { Console } from '../console'
import { sendTable, type TableFault } from '../download'

export interface PersonRow {
  id: string
  name: string
  role: Role
  login: string
  class: string
  active: boolean
  must_change: boolean
}

export interface ClassroomRow {
  id: string
  name: string
  class: string
  paired: boolean
  seen_ms: number | null
  code_until_ms: number | null
}

export interface SchoolRow {
  id: string | null
  name: string
  persons: PersonRow[]
  classrooms: ClassroomRow[]
}

export interface Entry {
  row?: number
  school: string
  class: string
  name: string
  role?: Role
  login?: string
}

export interface RosterChange {
  added: Entry[]
  changed: Entry[]
  left_out: Entry[]
  unchanged: number
}

export interface NewPassword {
  school: string
  name: string
  login: string
  password: string
}

export interface Pairing {
  school: string
  class: string
  name: string
  code: string
  until_ms: number
}

function initialState() {
  return {
    schools: null as SchoolRow[] | null,
    busy: false,
    fault: null as string | null,
    file: null as File | null,
    faults: [] as TableFault[],
    preview: null as RosterChange | null,
    passwords: [] as NewPassword[],
    csv: '',
    pairings: [] as Pairing[],
  }
}

/** One operator's work on the register. */
export class Register {
  readonly state = reactive(initialState())

  constructor(private readonly session: Console) {
    void this.load()
  }

  load(): Promise<void> {
    return this.act(() => Promise.resolve())
  }

  /** Shows what a file would change, or its faults. */
  look(file: File): Promise<void> {
    Object.assign(this.state, { file, faults: [], preview: null, passwords: [], csv: '' })
    return this.act(() => this.send<RosterChange>('?dry=1', (preview) => (this.state.preview = preview)))
  }

  apply(remove: boolean): Promise<void> {
    type Done = { passwords: NewPassword[]; csv: string }
    return this.act(() =>
      this.send<Done>(remove ? '?remove=1' : '', ({ passwords, csv }) =>
        Object.assign(this.state, { passwords, csv, preview: null, file: null }),
      ),
    )
  }

  drop(): void {
    Object.assign(this.state, { file: null, preview: null, faults: [] })
  }

  setActive(person: PersonRow, active: boolean): Promise<void> {
    return this.act(() => this.session.api.ask('PUT', `/api/people/${person.id}`, { active }))
  }

  resetPassword(person: PersonRow, school: string): Promise<void> {
    return this.act(async () => {
      type Renewed = { login: string; password: string }
      const renewed = await this.session.api.ask<Renewed>('POST', `/api/people/${person.id}/password`)
      Object.assign(this.state, { passwords: [{ school, name: person.name, ...renewed }], csv: '' })
    })
  }

  /** New codes, one after another; what was made is shown even if a later one fails. */
  pair(classrooms: ClassroomRow[], school: string): Promise<void> {
    this.state.pairings = []
    return this.act(async () => {
      for (const classroom of classrooms) {
        type Made = { code: string; until_ms: number }
        const made = await this.session.api.ask<Made>('POST', `/api/classrooms/${classroom.id}/pairing`)
        this.state.pairings.push({ school, class: classroom.class, name: classroom.name, ...made })
      }
    })
  }

  unpair(classroom: ClassroomRow): Promise<void> {
    return this.act(() => this.session.api.ask('DELETE', `/api/classrooms/${classroom.id}/pairing`))
  }

  private async send<T>(query: string, done: (result: T) => void): Promise<void> {
    if (!this.state.file) return
    const result = await sendTable<T>(this.session.api, `/api/people/import${query}`, this.state.file)
    if (Array.isArray(result)) Object.assign(this.state, { faults: result, preview: null })
    else done(result)
  }

  /** Does what was asked and reads the register anew; a fault is shown as its code. */
  private async act(work: () => Promise<unknown>): Promise<void> {
    this.state.busy = true
    this.state.fault = null
    try {
      await work()
      this.state.schools = (await this.session.api.ask<{ schools: SchoolRow[] }>('GET', '/api/people')).schools
    } catch (error) {
      this.state.fault = error instanceof CodedError ? error.code : 'internal'
    } finally {
      this.state.busy = false
    }
  }
}
