/** What every page does first. */

import { createApp, ref, watchEffect, type Component } from 'vue'
import { common } from '../locales/common'
import '../styles/base.css'
import { Api } from './api'
import { CodedError } from './protocol'
import { comeBack, remembered } from './session'
import { language } from './text'
import { TokenStore, tokenIn } from './token'

/** A page's words, as far as its name in the browser's tab needs them. */
interface Named {
  zh: { pageTitle: string }
  en: { pageTitle: string }
}

/** Why the link that led here opens nothing, or null. */
export const linkFault = ref<string | null>(null)
/** Answers after which the same key can never work. */
const REFUSED = new Set(['bad_token', 'expired_token', 'forbidden'])

/** Mounts a page, with the session of who is signed in where it is `forPersons`, and reloads it when a link with another token is opened in the same tab. */
export async function mountPage(page: Component, words?: Named, forPersons = false): Promise<void> {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
  watchEffect(() => (document.title = tabTitle(words)))
  window.addEventListener('hashchange', () => {
    if (/[#&](token|code|key)=/.test(location.hash)) location.reload()
  })
  await openShortLink()
  if (forPersons && remembered() && !/[#&](token|code)=/.test(location.hash) && !new TokenStore().get()) await comeBack()
  createApp(page).mount('#app')
}

/** What the browser's tab says, in the page's language. */
export function tabTitle(words?: Named): string {
  const { brand } = common[language.value]
  return words ? `${words[language.value].pageTitle} · ${brand}` : brand
}

/** Turns the key of a printed link into the token that it stands for, and notes why a link opens nothing. */
export async function openShortLink(at: Location = location, past: History = history): Promise<void> {
  const leave = (hash: string) => past.replaceState(past.state, '', at.pathname + at.search + hash)
  const key = /[#&]key=([^&]*)/.exec(at.hash)?.[1]
  linkFault.value = null
  if (key === undefined) {
    // Half of a link was copied.
    if (/[#&]token=/.test(at.hash) && !tokenIn(at.hash)) {
      linkFault.value = 'bad_token'
      leave('')
    }
    return
  }
  try {
    leave(`#token=${await new Api(() => null).link(key, language.value)}`)
  } catch (error) {
    linkFault.value = error instanceof CodedError ? error.code : 'internal'
    // A key that could not be asked about stays, so that F5 tries again.
    if (REFUSED.has(linkFault.value)) leave('')
  }
}
