/** Keys for a teacher with one hand on the slides: a number calls its tile, Escape ends. */

import { onMounted, onScopeDispose } from 'vue'

export interface WallActions {
  press(key: number): void
  escape(): void
}

/** Whether a key belongs to what has the focus, or to a question that is being asked. */
function isTaken(target: EventTarget | null): boolean {
  const typing = target instanceof HTMLElement && target.closest('input, select, textarea, [contenteditable]') !== null
  return typing || document.querySelector('[aria-modal="true"]') !== null
}

export function actOn(event: KeyboardEvent, actions: WallActions): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || isTaken(event.target)) return
  if (/^[1-9]$/.test(event.key)) actions.press(Number(event.key))
  else if (event.key === 'Escape') actions.escape()
  else return
  event.preventDefault()
}

export function useWallKeys(actions: WallActions): void {
  const onKey = (event: KeyboardEvent) => actOn(event, actions)
  onMounted(() => window.addEventListener('keydown', onKey))
  onScopeDispose(() => window.removeEventListener('keydown', onKey))
}
