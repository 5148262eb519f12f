/** A page's standing line: token, signal and renewal put together, as reactive state. */

import { reactive } from 'vue'
import { Api } from './api'
import { heardLinks } from './links'
import { CodedError, type PageName, type ServerMessage, type Welcome } from './protocol'
import { Signal, signalUrl, type SignalState } from './signal'
import { language } from './text'
import { TokenStore, tabId } from './token'

const SESSION_KEY = 'zd.session'
const LOST_TICK_MS = 1000

export interface LineState {
  signal: SignalState
  /** Seconds since the line was lost; 0 while it stands. */
  lost_s: number
  /** Why the session ended, or null. */
  ended: string | null
}

export interface LineOptions {
  page: PageName
  store: TokenStore
  api: Api
  welcome(message: Welcome): void
  message(message: ServerMessage): void
}

export interface Line {
  signal: Signal
  state: LineState
  stop(): void
}

/** Connects and stays connected until the session ends. */
export function openLine(options: LineOptions): Line {
  const { page, store, api } = options
  const state = reactive<LineState>({ signal: 'connecting', lost_s: 0, ended: null })
  const renew = () => api.refresh()
  const signal = new Signal({
    url: signalUrl(),
    page,
    tab: tabId(),
    language: language.value === 'zh' ? 'zh-CN' : 'en',
    token: () => store.get() ?? '',
    resume: sessionStorage.getItem(SESSION_KEY),
    events: {
      welcome(message) {
        sessionStorage.setItem(SESSION_KEY, message.session)
        options.welcome(message)
      },
      message(message) {
        if (message.type === 'links') heardLinks(message, (choice) => signal.send(choice))
        else options.message(message)
      },
      state: (next) => (state.signal = next),
      ended(code) {
        state.ended = code
        sessionStorage.removeItem(SESSION_KEY)
      },
      renewToken: async () => store.set(await renewPatiently(renew)),
    },
  })
  const ticker = setInterval(() => {
    state.lost_s = state.signal === 'lost' ? Math.floor((Date.now() - signal.lostSince) / 1000) : 0
  }, LOST_TICK_MS)
  store.keepFresh(renew)
  signal.start()
  return {
    signal,
    state,
    stop() {
      clearInterval(ticker)
      signal.stop()
    },
  }
}

/** A new token as soon as the server can be reached; only a refusal is final. */
async function renewPatiently(renew: () => Promise<string>): Promise<string> {
  for (;;) {
    try {
      return await renew()
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'internal'
      if (code !== 'offline' && code !== 'internal') throw error
      await new Promise((resolve) => setTimeout(resolve, 2000))
    }
  }
}
