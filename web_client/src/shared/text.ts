/** Sentences in two languages: Chinese is the source, English complete; the compiler holds the keys equal. */

import { ref } from 'vue'

export type Language = 'zh' | 'en'

/** One area's sentences; English must have exactly the keys of Chinese. */
export interface Catalogue<K extends string> {
  zh: Record<K, string>
  en: Record<K, string>
}

export type Values = Record<string, string | number>

const KEY = 'zd.language'

/** Declares a catalogue with its keys taken from the Chinese text. */
export function catalogue<const Z extends Record<string, string>>(
  zh: Z,
  en: Record<keyof Z & string, string>,
): Catalogue<keyof Z & string> {
  return { zh, en }
}

/** Chinese unless the person chose or the browser prefers English before any Chinese. */
export function pickLanguage(chosen: string | null, preferred: readonly string[]): Language {
  if (chosen === 'zh' || chosen === 'en') return chosen
  const first = preferred.find((tag) => /^(zh|en)\b/i.test(tag))
  return first?.toLowerCase().startsWith('en') ? 'en' : 'zh'
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

/** The language of this browser, shared by all components of a page. */
export const language = ref<Language>(pickLanguage(stored(), navigator.languages ?? []))

export function setLanguage(next: Language): void {
  language.value = next
  localStorage.setItem(KEY, next)
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

function fill(sentence: string, values: Values): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** A typed translator over one catalogue; reactive, because it reads `language`. */
export function translator<K extends string>(words: Catalogue<K>): (key: K, values?: Values) => string {
  return (key, values) => {
    const sentence = words[language.value][key]
    return values ? fill(sentence, values) : sentence
  }
}
