/** Downloads this week's recordings while the line is free. */

import { reactive } from 'vue'
import type { Day } from '../day'
import { nextClip, spentIn, wanted, type Spent } from './plan'
import { canKeep, download, forgetAllBut, storedClips } from './store'

/** After a fault, and when all is here, nothing is asked for a while. */
const REST_MS = 60_000

/** One computer's downloads; `look` is to be called now and then. */
export class Downloading {
  readonly state = reactive({ done: 0, all: 0 })
  private running: AbortController | null = null
  private looking = false
  private again_ms = 0

  constructor(
    readonly spent: Spent,
    private readonly save: () => void,
  ) {}

  /** Begins, goes on or stops: `free` says whether no lesson needs the line. */
  look(day: Day, free: boolean, now_ms: number): void {
    if (!free) this.running?.abort()
    if (!free || this.looking || !canKeep() || performance.now() < this.again_ms) return
    this.looking = true
    this.run(day, now_ms)
      .catch(() => this.rest())
      .finally(() => {
        this.looking = false
        this.running = null
      })
  }

  private async run(day: Day, now_ms: number): Promise<void> {
    this.running = new AbortController()
    Object.assign(this.spent, spentIn(this.spent, day.date))
    await forgetAllBut(wanted(day))
    const have = await storedClips()
    this.count(day, have)
    const next = nextClip(day, have, this.spent, now_ms)
    if (next === null) return this.rest()
    await download(next, this.running.signal, (bytes) => {
      this.spent.bytes += bytes
      this.save()
    })
    this.count(day, have.add(next))
  }

  private rest(): void {
    this.again_ms = performance.now() + REST_MS
  }

  private count(day: Day, have: ReadonlySet<string>): void {
    this.state.all = day.clips.length
    this.state.done = day.clips.filter(({ recording }) => have.has(recording)).length
  }
}
