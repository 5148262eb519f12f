/** One timeline over several files: the file with the voice leads, the others follow within 80 ms. */

import type { Track } from '../../shared/api'
import { FAR_S, follow } from './follow'

/** A file beside its place on the lesson's timeline; times inside the file are times of the lesson. */
export interface Part {
  track: Track
  element: HTMLMediaElement
}

const HAVE_FUTURE_DATA = 3
const HAVE_METADATA = 1
/** After a seek all files start together, or without the slowest after this time. */
const GATHER_WITHIN_MS = 1500
/** A seek of a follower lands late while it plays on; aimed a little ahead it lands right. */
const SEEK_LEAD_S = 0.08

export interface PlaybackState {
  position: number
  playing: boolean
  waiting: boolean
}

/** Plays parts together. `tick` is to be called often: the clock is an argument, in milliseconds. */
export class Playback {
  position = 0
  playing = false
  rate = 1
  /** Whether the voice is out of data, so that everything waits. */
  waiting = false
  private before_ms = 0
  private gatherUntil_ms = 0
  private seeked = false

  constructor(
    readonly parts: readonly Part[],
    readonly duration: number,
    private readonly leader: Part | null,
  ) {}

  isActive(part: Part): boolean {
    return this.position >= part.track.start_s && this.position < part.track.end_s
  }

  /** The largest distance between the voice and a picture that plays now, in seconds. */
  get drift(): number {
    const playing = this.parts.filter((part) => part !== this.leader && this.isActive(part) && !part.element.seeking)
    return playing.reduce((most, part) => Math.max(most, Math.abs(part.element.currentTime - this.position)), 0)
  }

  async play(now_ms: number): Promise<void> {
    if (this.position >= this.duration - 0.1) this.seek(0)
    this.playing = true
    this.before_ms = now_ms
    if (this.leader && this.isActive(this.leader) && !this.seeked) await this.leader.element.play()
  }

  pause(): void {
    this.playing = false
    for (const part of this.parts) part.element.pause()
  }

  seek(to: number): void {
    this.position = Math.min(this.duration, Math.max(0, to))
    this.seeked = true
    for (const part of this.parts) {
      part.element.pause()
      if (this.isActive(part)) part.element.currentTime = this.position
    }
  }

  tick(now_ms: number): void {
    const elapsed = this.before_ms ? (now_ms - this.before_ms) / 1000 : 0
    this.before_ms = now_ms
    if (this.seeked) this.gatherUntil_ms = now_ms + GATHER_WITHIN_MS
    this.seeked = false
    if (this.gathering(now_ms)) return
    if (this.playing) this.advance(elapsed)
    if (this.playing && this.position >= this.duration) {
      this.position = this.duration
      this.pause()
    }
    for (const part of this.parts) if (part !== this.leader) this.steer(part)
  }

  /** True while files still load the place that was sought. */
  private gathering(now_ms: number): boolean {
    if (now_ms >= this.gatherUntil_ms) return false
    const ready = (part: Part) => !part.element.seeking && part.element.readyState >= HAVE_FUTURE_DATA
    this.waiting = !this.parts.filter((part) => this.isActive(part)).every(ready)
    if (!this.waiting) this.gatherUntil_ms = 0
    return this.waiting
  }

  /** The voice's own clock while it runs; before, after and without it, the clock on the wall. */
  private advance(elapsed: number): void {
    const leader = this.leader
    if (!leader || !this.isActive(leader) || leader.element.ended) {
      leader?.element.pause()
      this.waiting = false
      this.position += elapsed * this.rate
      if (leader && this.isActive(leader) && !leader.element.ended) leader.element.currentTime = this.position
      return
    }
    const element = leader.element
    element.playbackRate = this.rate
    if (element.paused) void element.play().catch(() => this.pause())
    this.waiting = element.seeking || element.readyState < HAVE_FUTURE_DATA
    if (!element.seeking) this.position = Math.max(element.currentTime, leader.track.start_s)
  }

  private steer(part: Part): void {
    const element = part.element
    const active = this.isActive(part)
    if (element.readyState < HAVE_METADATA || element.seeking) return
    if (!active || !this.playing || this.waiting) {
      if (!element.paused) element.pause()
      if (active && Math.abs(element.currentTime - this.position) > FAR_S) element.currentTime = this.position
      return
    }
    const act = follow(element.currentTime - this.position, this.rate)
    if (act.kind === 'seek') element.currentTime = Math.min(part.track.end_s, this.position + SEEK_LEAD_S * this.rate)
    else element.playbackRate = act.kind === 'nudge' ? act.rate : this.rate
    if (element.paused && !element.ended) void element.play().catch(() => undefined)
  }
}
