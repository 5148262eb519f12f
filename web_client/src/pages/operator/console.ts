/** The operator's console: who is there, each second, and the lessons that are open. */

import { computed, onScopeDispose, reactive, shallowRef } from 'vue'
import { Api, type LessonRow } from '../../shared/api'
import { inspect } from '../../shared/debug'
import { openLine, type Line } from '../../shared/line'
import { CodedError, type TableRow } from '../../shared/protocol'
import { TokenStore } from '../../shared/token'

const LESSONS_EVERY_MS = 3000

export function useConsole() {
  const store = new TokenStore()
  const api = new Api(() => store.get())
  const state = reactive({
    phase: 'no_token' as 'no_token' | 'open',
    fault: null as string | null,
    rows: [] as TableRow[],
    lessons: null as LessonRow[] | null,
  })
  const line = shallowRef<Line | null>(null)
  const lineState = computed(() => line.value?.state ?? null)

  const codeOf = (error: unknown) => (error instanceof CodedError ? error.code : 'internal')

  async function loadLessons(): Promise<void> {
    try {
      const all = await api.lessons()
      state.lessons = all.filter((lesson) => lesson.state !== 'closed')
      state.fault = null
    } catch (error) {
      state.fault = codeOf(error)
    }
  }

  function open(): void {
    state.phase = 'open'
    line.value = openLine({
      page: 'operator',
      store,
      api,
      welcome: () => (state.fault = null),
      message(message) {
        if (message.type === 'table') state.rows = message.rows
      },
    })
    void loadLessons()
  }

  /** Does what was asked, shows the fault if it failed, and loads the list anew. */
  async function attempt<T>(act: () => Promise<T>): Promise<T | null> {
    try {
      const result = await act()
      await loadLessons()
      return result
    } catch (error) {
      state.fault = codeOf(error)
      return null
    }
  }

  function useToken(token: string): void {
    store.set(token)
    open()
  }

  const ticker = setInterval(() => {
    const ended = line.value?.state.ended
    if (ended) {
      line.value?.stop()
      line.value = null
      state.phase = 'no_token'
      state.fault = ended
    } else if (state.phase === 'open') void loadLessons()
  }, LESSONS_EVERY_MS)
  onScopeDispose(() => clearInterval(ticker))
  inspect(
    () => null,
    () => ({ ...state }),
  )
  if (store.adopt()) open()

  return {
    state,
    lineState,
    useToken,
    create: (title: string) => attempt(() => api.createLesson(title)),
    close: (id: string) => attempt(() => api.closeLesson(id)),
    teacherToken: (id: string) => attempt(() => api.lessonToken(id)),
  }
}

export type OperatorSession = ReturnType<typeof useConsole>
