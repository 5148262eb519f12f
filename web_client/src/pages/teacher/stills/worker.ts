/** Looks at the frames of a shared screen and makes a still of it whenever it has come to rest. */

import type { Picture } from '../../../shared/stills/send'
import { encode, fit } from './encode'
import { LOOK_HEIGHT, LOOK_WIDTH, Steady } from './steady'

/** What the page says: a stream of frames, or one frame where a browser has no such streams. */
export type ToWorker = { frames: ReadableStream<VideoFrame> } | { frame: ImageBitmap }
export type FromWorker = { picture: Picture }

const look = new OffscreenCanvas(LOOK_WIDTH, LOOK_HEIGHT)
const picture = new OffscreenCanvas(1, 1)
const steady = new Steady()
let timer: ReturnType<typeof setTimeout> | undefined

function show(frame: VideoFrame | ImageBitmap): void {
  const [wide, high] = 'displayWidth' in frame ? [frame.displayWidth, frame.displayHeight] : [frame.width, frame.height]
  const [width, height] = fit(wide, high)
  if (picture.width !== width || picture.height !== height) Object.assign(picture, { width, height })
  picture.getContext('2d')?.drawImage(frame, 0, 0, width, height)
  frame.close()
  const small = look.getContext('2d', { willReadFrequently: true })
  if (!small) return
  small.drawImage(picture, 0, 0, LOOK_WIDTH, LOOK_HEIGHT)
  steady.see(small.getImageData(0, 0, LOOK_WIDTH, LOOK_HEIGHT).data, performance.now())
  wait()
}

function wait(): void {
  clearTimeout(timer)
  const due_ms = steady.due_ms(performance.now())
  if (due_ms !== null) timer = setTimeout(() => void take(), due_ms)
}

async function take(): Promise<void> {
  steady.take(performance.now())
  const made = await encode(picture)
  if (made) postMessage({ picture: made } satisfies FromWorker)
}

async function follow(frames: ReadableStream<VideoFrame>): Promise<void> {
  const reader = frames.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    show(value)
  }
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if ('frames' in data) void follow(data.frames)
  else show(data.frame)
})
