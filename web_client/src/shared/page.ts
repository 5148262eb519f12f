/** What every page does first. */

import { createApp, watchEffect, type Component } from 'vue'
import { common } from '../locales/common'
import '../styles/base.css'
import { Api } from './api'
import { language } from './text'

/** A page's words, as far as its name in the browser's tab needs them. */
interface Named {
  zh: { pageTitle: string }
  en: { pageTitle: string }
}

/** Mounts a page, and reloads it when a link with another token is opened in the same tab. */
export async function mountPage(page: Component, words?: Named): Promise<void> {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
  watchEffect(() => (document.title = tabTitle(words)))
  window.addEventListener('hashchange', () => {
    if (/[#&](token|code|key)=/.test(location.hash)) location.reload()
  })
  await openShortLink()
  createApp(page).mount('#app')
}

/** What the browser's tab says, in the page's language. */
export function tabTitle(words?: Named): string {
  const { brand } = common[language.value]
  return words ? `${words[language.value].pageTitle} · ${brand}` : brand
}

/** Turns the key of a printed link into the token that it stands for; without a key, or with a wrong one, nothing. */
export async function openShortLink(at: Location = location, past: History = history): Promise<void> {
  const key = /[#&]key=([\w-]+)/.exec(at.hash)?.[1]
  if (!key) return
  const token = await new Api(() => null).link(key, language.value).catch(() => '')
  past.replaceState(past.state, '', at.pathname + at.search + (token ? `#token=${token}` : ''))
}
