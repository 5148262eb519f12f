/** Words that are said for a moment after they changed. */

import { onScopeDispose, ref, watch, type Ref } from 'vue'

const SAY_FOR_MS = 12_000

/** The newest words; empty again after a while. */
export function useBriefly(words: () => string): Ref<string> {
  const said = ref('')
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(words, (now) => {
    clearTimeout(timer)
    said.value = now
    timer = setTimeout(() => (said.value = ''), SAY_FOR_MS)
  })
  onScopeDispose(() => clearTimeout(timer))
  return said
}
