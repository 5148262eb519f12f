/** Plays a recording for a class: in step with the server's time, or the stretches that were missed, one after another. */

import { onScopeDispose, reactive, shallowRef } from 'vue'
import { Api, type Manifest } from '../../../shared/api'
import { serverNow } from '../../../shared/clock'
import { inspect } from '../../../shared/debug'
import { Playback, type Part } from '../../watch/playback'
import { onTimeline, type Missed } from './missed'

const TICK_MS = 50
const ASK_AGAIN_MS = 3000
/** The class hears the lesson at the same moment as others; a jump is worse than a second. */
const STEP_S = 2
/** A seek that is under way is given time before the place is looked at again. */
const SETTLE_MS = 4000

export interface ClipWish {
  recording: string
  /** The bell of a recorded lesson, in server time; absent: a look back. */
  begin_ms: number | undefined
  spans: readonly Missed[]
  /** All stretches have been played. */
  done(): void
}

/** One recording on this page. */
export class ClipPlayer {
  readonly state = reactive({ ready: false, missing: false, over: false, position: 0, active: [] as string[] })
  readonly manifest = shallowRef<Manifest | null>(null)
  readonly elements = new Map<string, HTMLMediaElement>()
  private player: Playback | null = null
  private spans: { from: number; to: number }[] = []
  private aimedAt_ms = Number.NEGATIVE_INFINITY
  private retry: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly wish: ClipWish) {
    const timer = setInterval(() => this.tick(), TICK_MS)
    onScopeDispose(() => {
      clearInterval(timer)
      clearTimeout(this.retry)
      this.player?.pause()
    })
    inspect(
      () => null,
      () => ({ ...this.state, scene: 'clip' }),
    )
    void this.load()
  }

  /** Called once all elements stand. */
  mounted(): void {
    const lesson = this.manifest.value
    if (!lesson || this.player) return
    const parts = lesson.tracks.flatMap((track): Part[] => {
      const element = this.elements.get(track.file)
      return element ? [{ track, element }] : []
    })
    for (const { track, element } of parts) element.muted = track.source !== lesson.voice_in && track.source !== 'microphone'
    this.player = new Playback(parts, lesson.duration_s, parts.find((part) => part.track.source === lesson.voice_in) ?? null)
    this.spans = onTimeline(this.wish.spans, lesson.started_ms, lesson.duration_s)
    if (this.wish.begin_ms === undefined) this.jump(this.spans[0]?.from ?? 0)
    this.state.ready = true
  }

  private async load(): Promise<void> {
    try {
      this.manifest.value = await new Api(() => null).manifest(this.wish.recording)
      this.state.missing = false
    } catch {
      this.state.missing = true
      this.retry = setTimeout(() => void this.load(), ASK_AGAIN_MS)
    }
  }

  private tick(): void {
    const player = this.player
    if (!player) return
    const now = performance.now()
    if (this.wish.begin_ms === undefined) this.throughSpans(player)
    else this.inStep(player, (serverNow() - this.wish.begin_ms) / 1000, now)
    player.tick(now)
    this.state.position = player.position
    const active = player.parts.filter((part) => player.isActive(part)).map((part) => part.track.file)
    if (active.join() !== this.state.active.join()) this.state.active = active
  }

  /** Where the lesson is by now; a class that comes late sees what the others see. */
  private inStep(player: Playback, due_s: number, now: number): void {
    this.state.over = due_s >= player.duration
    if (this.state.over || due_s < 0) {
      if (player.playing) player.pause()
      return
    }
    const far = Math.abs(player.position - due_s) > STEP_S && now - this.aimedAt_ms > SETTLE_MS
    if (far || !player.playing) this.jump(due_s)
  }

  private throughSpans(player: Playback): void {
    const span = this.spans[0]
    if (!span) return
    if (player.playing && player.position < span.to - 0.05) return
    if (player.position >= span.to - 0.05) this.spans.shift()
    const next = this.spans[0]
    if (next) this.jump(player.position < span.to - 0.05 ? player.position : next.from)
    else this.wish.done()
  }

  private jump(to: number): void {
    const player = this.player
    if (!player) return
    this.aimedAt_ms = performance.now()
    player.seek(to)
    void player.play(performance.now()).catch(() => player.pause())
  }
}
