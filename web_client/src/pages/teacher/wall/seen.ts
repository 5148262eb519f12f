/** Which tiles are on the screen: the others cost nothing. */

import { onScopeDispose } from 'vue'

/** Watches elements that say their tile in `data-tile`; a page that is out of sight shows none. */
export class Seen {
  private readonly ids = new Set<number>()
  private readonly observer: IntersectionObserver | null
  private readonly onSight = () => this.tell()

  constructor(private readonly changed: (ids: readonly number[]) => void) {
    const make = typeof IntersectionObserver === 'undefined' ? null : IntersectionObserver
    this.observer = make && new make((entries) => this.see(entries), { threshold: 0.2 })
    document.addEventListener('visibilitychange', this.onSight)
    onScopeDispose(() => {
      this.observer?.disconnect()
      document.removeEventListener('visibilitychange', this.onSight)
      this.changed([])
    })
  }

  /** A tile that was made, or null for one that went; call with the element that was. */
  add(element: Element): void {
    this.observer?.observe(element)
  }

  drop(element: Element): void {
    this.observer?.unobserve(element)
    if (this.ids.delete(tileOf(element))) this.tell()
  }

  private see(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.ids.add(tileOf(target))
      else this.ids.delete(tileOf(target))
    }
    this.tell()
  }

  private tell(): void {
    this.changed(document.visibilityState === 'visible' ? [...this.ids].sort((a, b) => a - b) : [])
  }
}

const tileOf = (element: Element) => Number((element as HTMLElement).dataset.tile)
