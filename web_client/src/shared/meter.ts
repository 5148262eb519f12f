/** The microphone's level, 0 to 1, on a scale of decibels as ears hear it. */

const FLOOR_DB = -60
const CEILING_DB = -6
const READ_EVERY_MS = 60

/** Root mean square of samples in -1..1, mapped from the floor to the ceiling. */
export function levelOf(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  const db = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12)
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)))
}

/** Reads a track's level until stopped. */
export function meter(track: MediaStreamTrack, show: (level: number) => void): () => void {
  const Context = window.AudioContext as typeof AudioContext | undefined
  if (!Context) return () => undefined
  const context = new Context()
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    // A context made before the first click starts suspended and may be woken later.
    if (context.state === 'suspended') void context.resume()
    analyser.getFloatTimeDomainData(samples)
    show(track.enabled ? levelOf(samples) : 0)
  }, READ_EVERY_MS)
  return () => {
    clearInterval(timer)
    // Whoever stops twice, as a page that is left while its track ends, closes it once: a second time is an error.
    if (context.state !== 'closed') void context.close()
  }
}
