/** A still of this classroom's own camera: a few kilobytes that show who is there (PROTOCOL.md 1.1). */

import { MAX_OWN_BYTES, hex } from '../../../shared/stills/messages'
import type { Picture } from '../../../shared/stills/send'

const QUALITIES = [0.6, 0.4, 0.25]
const SMALLER = 0.7
const LEAST_WIDTH = 96

const encode = (canvas: HTMLCanvasElement, quality: number) =>
  new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality))

function draw(video: HTMLVideoElement, width: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = Math.max(1, Math.round((width * video.videoHeight) / video.videoWidth))
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height)
  return canvas
}

/** What the camera shows now; null while it shows nothing. */
export async function takeStill(video: HTMLVideoElement, wish: number): Promise<Picture | null> {
  if (!video.videoWidth) return null
  for (let width = Math.min(wish, video.videoWidth); width >= LEAST_WIDTH; width = Math.round(width * SMALLER)) {
    const canvas = draw(video, width)
    for (const quality of QUALITIES) {
      const blob = await encode(canvas, quality)
      if (!blob || blob.type !== 'image/jpeg') return null
      if (blob.size <= MAX_OWN_BYTES) return picture(canvas, blob)
    }
  }
  return null
}

async function picture({ width, height }: HTMLCanvasElement, blob: Blob): Promise<Picture> {
  const file = new Uint8Array(await blob.arrayBuffer())
  const hash = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', file)))
  return { source: 'camera', format: 'image/jpeg', width, height, hash, file }
}

/** Makes stills of one camera after another, at the pace that is wished. */
export class Stills {
  private readonly video = document.createElement('video')
  private timer: ReturnType<typeof setTimeout> | undefined
  private every = { still_s: 0, width: 0 }
  private turn = 0

  constructor(private readonly give: (picture: Picture) => void) {
    Object.assign(this.video, { muted: true, playsInline: true })
  }

  /** Another camera, or none. */
  show(track: MediaStreamTrack | null): void {
    this.video.srcObject = track ? new MediaStream([track]) : null
    if (track) void this.video.play().catch(() => undefined)
    this.again()
  }

  pace(every: { still_s: number; width: number }): void {
    if (every.still_s === this.every.still_s && every.width === this.every.width) return
    this.every = every
    this.again()
  }

  stop(): void {
    this.turn++
    clearTimeout(this.timer)
    this.video.srcObject = null
  }

  private again(): void {
    clearTimeout(this.timer)
    this.turn++
    if (this.every.still_s > 0 && this.video.srcObject) void this.take(this.turn)
  }

  private async take(turn: number): Promise<void> {
    const made = await takeStill(this.video, this.every.width).catch(() => null)
    if (turn !== this.turn) return
    if (made) this.give(made)
    // A camera that has just been opened shows its first picture soon.
    this.timer = setTimeout(() => void this.take(turn), made ? 1000 * this.every.still_s : 300)
  }
}
