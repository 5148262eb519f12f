/** Arrow keys move the focus to what lies in that direction on the screen; Enter presses it, as browsers do by themselves. */

import { onMounted, onScopeDispose, type Ref } from 'vue'

/** A rectangle on the screen. */
export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

export type Way = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown'

/** What lies straight ahead comes before what lies nearer but aside. */
const ASIDE = 3

/** How far `to` lies from `from` in one direction; null when it does not lie there. */
export function distance(from: Box, to: Box, way: Way): number | null {
  const across = way === 'ArrowLeft' || way === 'ArrowRight'
  const forward = way === 'ArrowRight' || way === 'ArrowDown'
  const [start, end] = across ? [from.left, from.right] : [from.top, from.bottom]
  const [near, far] = across ? [to.left, to.right] : [to.top, to.bottom]
  const middle = (near + far - start - end) / 2
  if (forward ? middle <= 0 || near < (start + end) / 2 : middle >= 0 || far > (start + end) / 2) return null
  const ahead = Math.max(0, forward ? near - end : start - far)
  const [low, high] = across ? [from.top, from.bottom] : [from.left, from.right]
  const [first, last] = across ? [to.top, to.bottom] : [to.left, to.right]
  const aside = Math.max(0, first - high, low - last)
  return ahead + ASIDE * aside + Math.abs(first + last - low - high) / 8
}

/** The index of the nearest box in a direction, or -1. */
export function nearest(from: Box, boxes: readonly Box[], way: Way): number {
  let best = -1
  let least = Number.POSITIVE_INFINITY
  boxes.forEach((box, index) => {
    const far = distance(from, box, way)
    if (far !== null && far < least) [best, least] = [index, far]
  })
  return best
}

const isWay = (key: string): key is Way => ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].includes(key)

/** Makes a view drivable with four arrows; its element with `data-first` has the focus at the beginning. */
export function useArrows(root: Readonly<Ref<HTMLElement | null>>): void {
  const targets = () => Array.from(root.value?.querySelectorAll<HTMLElement>('[data-key]:not(:disabled)') ?? [])
  const first = () => root.value?.querySelector<HTMLElement>('[data-first]:not(:disabled)') ?? targets()[0]
  const onKey = (event: KeyboardEvent) => {
    if (!isWay(event.key) || event.ctrlKey || event.altKey || event.metaKey) return
    const all = targets()
    const at = all.find((one) => one === document.activeElement)
    // Inside a field the arrows to either side belong to the text.
    if (at instanceof HTMLInputElement && at.value && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) return
    event.preventDefault()
    if (!at) return first()?.focus()
    const others = all.filter((one) => one !== at)
    others[nearest(at.getBoundingClientRect(), others.map((one) => one.getBoundingClientRect()), event.key)]?.focus()
  }
  onMounted(() => {
    first()?.focus({ preventScroll: true })
    window.addEventListener('keydown', onKey)
  })
  onScopeDispose(() => window.removeEventListener('keydown', onKey))
}
