/** A picture that is hard to encode, so that a sender has enough to send. */

const [WIDTH, HEIGHT] = [640, 360]
const GRAIN = 8
const FRAMES_A_SECOND = 15

/** The track and how to stop it; null where this browser cannot film a canvas. */
export function noise(): { track: MediaStreamTrack; stop: () => void } | null {
  const canvas = document.createElement('canvas')
  const pen = canvas.getContext('2d')
  const film = canvas as { captureStream?: (fps: number) => MediaStream }
  if (!pen || !film.captureStream) return null
  Object.assign(canvas, { width: WIDTH, height: HEIGHT })
  const draw = () => {
    for (let x = 0; x < WIDTH; x += GRAIN) {
      for (let y = 0; y < HEIGHT; y += GRAIN) {
        const grey = Math.floor(Math.random() * 256)
        pen.fillStyle = `rgb(${grey},${grey},${grey})`
        pen.fillRect(x, y, GRAIN, GRAIN)
      }
    }
  }
  draw()
  const timer = setInterval(draw, 1000 / FRAMES_A_SECOND)
  const track = canvas.captureStream(FRAMES_A_SECOND).getVideoTracks()[0]
  const stop = () => {
    clearInterval(timer)
    track?.stop()
  }
  if (track) return { track, stop }
  stop()
  return null
}
