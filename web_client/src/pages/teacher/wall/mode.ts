/** How much room the wall takes; this computer remembers it. */

import { ref, watch, type Ref } from 'vue'

const KEY = 'zd.wall'
const MODES = ['full', 'strip', 'closed'] as const
export type Mode = (typeof MODES)[number]

export function useMode(): Ref<Mode> {
  const stored = localStorage.getItem(KEY)
  const mode = ref<Mode>(MODES.find((one) => one === stored) ?? 'strip')
  watch(mode, (next) => localStorage.setItem(KEY, next))
  return mode
}
