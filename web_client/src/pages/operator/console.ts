/** The operator's console: who is there, each second, and the lessons that are open. */

import { computed, onScopeDispose, reactive, shallowRef } from 'vue'
import { Api, type LessonRow, type NewLesson } from '../../shared/api'
import { inspect } from '../../shared/debug'
import { openLine, type Line } from '../../shared/line'
import { CodedError, type TableRow } from '../../shared/protocol'
import { TokenStore, readClaims } from '../../shared/token'

const LOOK_EVERY_MS = 3000

function initialState() {
  return {
    phase: 'no_token' as 'no_token' | 'open',
    fault: null as string | null,
    rows: [] as TableRow[],
    lessons: null as LessonRow[] | null,
    address: null as string | null,
    openByDefault: true,
  }
}

/** One operator's session on this page. */
export class Console {
  readonly state = reactive(initialState())
  private readonly line = shallowRef<Line | null>(null)
  readonly lineState = computed(() => this.line.value?.state ?? null)
  private readonly store = new TokenStore()
  readonly api = new Api(() => this.store.get())

  constructor() {
    const ticker = setInterval(() => this.look(), LOOK_EVERY_MS)
    onScopeDispose(() => clearInterval(ticker))
    inspect(
      () => null,
      () => ({ ...this.state }),
    )
    if (this.store.adopt()) this.open()
  }

  readonly useToken = (token: string): void => {
    this.store.set(token)
    this.open()
  }

  /** What the page may do, for files that are not JSON. */
  readonly role = (): string => readClaims(this.store.get() ?? '')?.role || 'operator'
  readonly token = (): string | null => this.store.get()

  create(title: string, open: boolean): Promise<NewLesson | null> {
    return this.attempt(() => this.api.createLesson(title, open))
  }

  close(id: string): Promise<unknown> {
    return this.attempt(() => this.api.closeLesson(id))
  }

  teacherToken(id: string): Promise<string | null> {
    return this.attempt(() => this.api.lessonToken(id))
  }

  private open(): void {
    this.state.phase = 'open'
    this.state.fault = null
    this.line.value = openLine({
      page: 'operator',
      store: this.store,
      api: this.api,
      welcome: ({ address }) => Object.assign(this.state, { fault: null, address }),
      message: (message) => {
        if (message.type === 'table') this.state.rows = message.rows
      },
    })
    void this.loadLessons()
  }

  private look(): void {
    const ended = this.line.value?.state.ended
    if (ended) {
      this.line.value?.stop()
      this.line.value = null
      this.state.phase = 'no_token'
      this.state.fault = ended
    } else if (this.state.phase === 'open') void this.loadLessons()
  }

  private async loadLessons(): Promise<void> {
    try {
      const { lessons, open_by_default } = await this.api.lessons()
      this.state.openByDefault = open_by_default ?? true
      this.state.lessons = lessons.filter((lesson) => lesson.state !== 'closed')
      this.state.fault = null
    } catch (error) {
      this.failed(error)
    }
  }

  /** Does what was asked, shows the fault if it failed, and loads the list anew. */
  private async attempt<T>(act: () => Promise<T>): Promise<T | null> {
    try {
      const result = await act()
      await this.loadLessons()
      return result
    } catch (error) {
      this.failed(error)
      return null
    }
  }

  private failed(error: unknown): void {
    this.state.fault = error instanceof CodedError ? error.code : 'internal'
  }
}
