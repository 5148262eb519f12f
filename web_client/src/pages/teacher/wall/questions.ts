/** The list of questions, which outlives the lesson. */

import { ref, watch, type Ref } from 'vue'
import type { Api } from '../../../shared/api'

export interface Question {
  id: number
  name: string
  text: string
  asked_ms: number
  /** Empty: answered aloud. */
  answer: string | null
  answered_ms: number | null
}

export interface Questions {
  list: Ref<Question[] | null>
  failed: Ref<boolean>
}

/** Fetched now, and again whenever `newest` says that it changed. */
export function useQuestions(api: Pick<Api, 'ask'>, lesson: string, newest: () => number): Questions {
  const list = ref<Question[] | null>(null)
  const failed = ref(false)
  const fetchAll = async () => {
    try {
      const path = `/api/lessons/${encodeURIComponent(lesson)}/questions`
      list.value = (await api.ask<{ questions: Question[] }>('GET', path)).questions
      failed.value = false
    } catch {
      failed.value = true
    }
  }
  watch(newest, () => void fetchAll(), { immediate: true })
  return { list, failed }
}
