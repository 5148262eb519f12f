/** A keyboard or a remote control is enough: arrows choose a button, Enter presses it. */

import { onMounted, onScopeDispose, ref, type Ref } from 'vue'

const HIDE_AFTER_MS = 4000
const VOLUME_STEP = 0.1

interface Actions {
  swap(): void
  hand(): void
  mute(): void
  volume: Ref<number>
}

/** The next of `count` places after a step to either side; from nowhere to the first. */
export function step(current: number, count: number, by: number): number {
  if (count === 0) return -1
  return current < 0 ? 0 : (current + by + count) % count
}

export function useStageKeys(stage: Ref<HTMLElement | null>, actions: Actions) {
  const awake = ref(true)
  const fullscreen = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  function wake(): void {
    awake.value = true
    clearTimeout(timer)
    timer = setTimeout(() => (awake.value = stage.value?.querySelector(':focus-visible') != null), HIDE_AFTER_MS)
  }

  function move(by: number): void {
    const buttons = Array.from(stage.value?.querySelectorAll<HTMLElement>('[data-key]:not(:disabled)') ?? [])
    const at = buttons.findIndex((button) => button === document.activeElement)
    buttons[step(at, buttons.length, by)]?.focus()
  }

  function toggleFullscreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen()
    else void document.documentElement.requestFullscreen?.().catch(() => undefined)
  }

  function louder(by: number): void {
    actions.volume.value = Math.min(1, Math.max(0, Math.round((actions.volume.value + by) * 10) / 10))
  }

  const keys: Record<string, () => void> = {
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    ArrowUp: () => louder(VOLUME_STEP),
    ArrowDown: () => louder(-VOLUME_STEP),
    f: toggleFullscreen,
    s: actions.swap,
    h: actions.hand,
    m: actions.mute,
  }

  function onKey(event: KeyboardEvent): void {
    wake()
    if (event.target instanceof HTMLTextAreaElement) return
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!act) return
    event.preventDefault()
    act()
  }

  const onFullscreen = () => (fullscreen.value = document.fullscreenElement !== null)
  onMounted(() => {
    wake()
    window.addEventListener('keydown', onKey)
    window.addEventListener('pointermove', wake)
    document.addEventListener('fullscreenchange', onFullscreen)
  })
  onScopeDispose(() => {
    clearTimeout(timer)
    window.removeEventListener('keydown', onKey)
    window.removeEventListener('pointermove', wake)
    document.removeEventListener('fullscreenchange', onFullscreen)
  })
  return { awake, fullscreen, toggleFullscreen }
}
