/** Stills of the shared screen, made off the page's own thread for as long as it is shared. */

import type { Picture } from '../../../shared/stills/send'
import type { FromWorker, ToWorker } from './worker'

/** Browsers without frame streams are looked at this often. */
const LOOK_EVERY_MS = 500

interface Processor {
  readable: ReadableStream<VideoFrame>
}
type MakeProcessor = new (init: { track: MediaStreamTrack }) => Processor

/** Watches one screen track after another; `picture` hears of each new still, and of null when none is shared. */
export class ScreenStills {
  private stop: (() => void) | null = null

  constructor(private readonly picture: (picture: Picture | null) => void) {}

  /** A screen is shared, or none any more. */
  put(track: MediaStreamTrack | null): void {
    this.stop?.()
    this.stop = null
    if (!track) return this.picture(null)
    if (typeof OffscreenCanvas === 'undefined') return
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.picture(data.picture))
    const looked = look(track, (message, moved) => worker.postMessage(message, moved))
    this.stop = () => {
      looked()
      worker.terminate()
    }
  }
}

/** Feeds the worker; returns how to end it. */
function look(track: MediaStreamTrack, tell: (message: ToWorker, moved: Transferable[]) => void): () => void {
  const make = (globalThis as { MediaStreamTrackProcessor?: MakeProcessor }).MediaStreamTrackProcessor
  if (make) {
    // A clone: the processor's end must not end what is sent.
    const own = track.clone()
    const frames = new make({ track: own }).readable
    tell({ frames }, [frames])
    return () => own.stop()
  }
  const video = document.createElement('video')
  Object.assign(video, { srcObject: new MediaStream([track]), muted: true })
  void video.play().catch(() => undefined)
  const timer = setInterval(() => {
    // A frame that cannot be had just now (the track ends, the tab sleeps) is had at the next look.
    const told = (frame: ImageBitmap) => tell({ frame }, [frame])
    if (video.videoWidth) createImageBitmap(video).then(told, () => undefined)
  }, LOOK_EVERY_MS)
  return () => {
    clearInterval(timer)
    video.srcObject = null
  }
}
