/** The player's keys: space, arrows, and j k l as film editors know them. */

import { onMounted, onScopeDispose, ref, type Ref } from 'vue'
import type { Watching } from './watching'

const VOLUME_STEP = 0.1

/** Seconds that a key moves the position by. */
export const JUMPS: Readonly<Record<string, number>> = { ArrowLeft: -5, ArrowRight: 5, j: -10, l: 10 }

export function usePlayerKeys(stage: Ref<HTMLElement | null>, session: Watching, swap: () => void) {
  const fullscreen = ref(false)
  const { state } = session

  function toggleFullscreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen()
    else void stage.value?.requestFullscreen?.().catch(() => undefined)
  }

  const keys: Record<string, () => void> = {
    ' ': session.toggle,
    k: session.toggle,
    ArrowUp: () => session.setVolume(state.volume + VOLUME_STEP),
    ArrowDown: () => session.setVolume(state.volume - VOLUME_STEP),
    Home: () => session.seek(0),
    f: toggleFullscreen,
    s: swap,
  }

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const target = event.target as HTMLElement | null
    // Space on a focused button presses that button; a select and a field keep their own keys.
    if (target?.closest('select, input:not([type=range])') || (key === ' ' && target?.closest('button'))) return
    const jump = JUMPS[key]
    const act = jump === undefined ? keys[key] : () => session.seek(state.position + jump)
    if (!act) return
    event.preventDefault()
    act()
  }

  const onFullscreen = () => (fullscreen.value = document.fullscreenElement !== null)
  onMounted(() => {
    window.addEventListener('keydown', onKey)
    document.addEventListener('fullscreenchange', onFullscreen)
  })
  onScopeDispose(() => {
    window.removeEventListener('keydown', onKey)
    document.removeEventListener('fullscreenchange', onFullscreen)
  })
  return { fullscreen, toggleFullscreen }
}
