/** What tests and support may look at from the browser's console; it can change nothing. */

export interface Inspected {
  readonly pc: RTCPeerConnection | null
  readonly state: unknown
}

declare global {
  interface Window {
    zhuandi?: Inspected
  }
}

/** Publishes read-only views as `window.zhuandi`. */
export function inspect(pc: () => RTCPeerConnection | null, state: () => unknown): void {
  const view = Object.freeze({
    get pc() {
      return pc()
    },
    get state() {
      return state()
    },
  })
  Object.defineProperty(window, 'zhuandi', { value: view, configurable: true })
}
