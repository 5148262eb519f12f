/** Which pictures this page shows: a hidden one is paused at the server and costs the line nothing. */

import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** A page that is out of sight for a moment keeps its pictures. */
export const HIDDEN_AFTER_MS = 5000

export interface Shown {
  camera: boolean
  screen: boolean
}

/** `alone` leaves only the large one of two pictures. */
export function shownPictures(inSight: boolean, both: boolean, alone: boolean, screenLarge: boolean): Shown {
  const one = both && alone
  return { camera: inSight && !(one && screenLarge), screen: inSight && !(one && !screenLarge) }
}

/** Whether somebody can see the page; what is not seen is believed only after a while. */
export function useInSight(): Ref<boolean> {
  const inSight = ref(true)
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    clearTimeout(timer)
    if (document.visibilityState === 'visible') inSight.value = true
    else timer = setTimeout(() => (inSight.value = false), HIDDEN_AFTER_MS)
  }
  document.addEventListener('visibilitychange', look)
  look()
  onScopeDispose(() => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  })
  return inSight
}

/** Tells every change. */
export function tellShown(shown: () => Shown, tell: (shown: Shown) => void): void {
  watch(
    shown,
    (now, before) => {
      if (now.camera !== before.camera || now.screen !== before.screen) tell(now)
    },
    { flush: 'sync' },
  )
}
