/** Keeps the projector's computer awake while a lesson is shown. */

interface Sentinel {
  release(): Promise<void>
}

interface WakeLock {
  request(type: 'screen'): Promise<Sentinel>
}

/** Holds the screen awake, again after every return to the page, until released. */
export function keepAwake(): () => void {
  const lock = (navigator as Navigator & { wakeLock?: WakeLock }).wakeLock
  let held: Sentinel | null = null
  let wanted = true
  const hold = () => {
    if (!lock || !wanted || document.visibilityState !== 'visible') return
    lock.request('screen').then(
      (sentinel) => {
        if (wanted) held = sentinel
        else void sentinel.release()
      },
      // A low battery may refuse; the lesson is shown all the same.
      () => undefined,
    )
  }
  document.addEventListener('visibilitychange', hold)
  hold()
  return () => {
    wanted = false
    document.removeEventListener('visibilitychange', hold)
    void held?.release()
  }
}
