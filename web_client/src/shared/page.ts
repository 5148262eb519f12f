/** What every page does first. */

import { createApp, type Component } from 'vue'
import '../styles/base.css'
import { language } from './text'

/** Mounts a page, and reloads it when a link with another token is opened in the same tab. */
export function mountPage(page: Component): void {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
  window.addEventListener('hashchange', () => {
    if (/[#&](token|code)=/.test(location.hash)) location.reload()
  })
  createApp(page).mount('#app')
}
