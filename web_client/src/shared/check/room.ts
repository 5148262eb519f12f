/** Camera, microphone and loudspeaker of this room, each in one word. */

import { openDevice } from '../devices'
import { CodedError } from '../protocol'
import { within } from './desk'
import type { Device, Found } from './facts'

const LISTEN_MS = 1500
/** Below this every sample is the nothing of a muted or dead microphone; the quietest room is above it. */
const DEAD = 1e-4
/** A question about permission may stand for ever in front of nobody. */
const ASK_MS = 15_000

/** Facts of the devices. */
export async function tryRoom(): Promise<Found> {
  return { camera: await tryDevice('camera'), microphone: await tryDevice('microphone'), ...(await trySpeaker()) }
}

async function tryDevice(source: 'camera' | 'microphone'): Promise<Device> {
  try {
    const track = await within(ASK_MS, openDevice(source, null))
    try {
      return source === 'camera' || (await hears(track)) ? 'ok' : 'unheard'
    } finally {
      track.stop()
    }
  } catch (error) {
    return error instanceof CodedError && /denied|insecure|timeout/.test(error.code) ? 'denied' : 'none'
  }
}

async function hears(track: MediaStreamTrack): Promise<boolean> {
  const context = new AudioContext()
  try {
    await within(LISTEN_MS, context.resume()).catch(() => undefined)
    if (context.state !== 'running') return true // it may not listen before a click, which says nothing
    const ear = context.createAnalyser()
    context.createMediaStreamSource(new MediaStream([track])).connect(ear)
    const samples = new Float32Array(ear.fftSize)
    const until = performance.now() + LISTEN_MS
    while (performance.now() < until) {
      await new Promise((go) => setTimeout(go, 50))
      ear.getFloatTimeDomainData(samples)
      if (samples.some((sample) => Math.abs(sample) > DEAD)) return true
    }
    return false
  } finally {
    void context.close()
  }
}

/** Browsers that list no outputs at all say nothing. */
async function trySpeaker(): Promise<Found> {
  if (!('setSinkId' in HTMLMediaElement.prototype)) return {}
  const all = await navigator.mediaDevices.enumerateDevices()
  return { speaker: all.some((device) => device.kind === 'audiooutput') ? 'ok' : 'none' }
}

/** One second of a soft tone, for ears in the room. */
export async function playTone(): Promise<void> {
  const context = new AudioContext()
  const tone = context.createOscillator()
  const volume = context.createGain()
  tone.frequency.value = 440
  volume.gain.value = 0.2
  tone.connect(volume).connect(context.destination)
  tone.start()
  await new Promise((go) => setTimeout(go, 1000))
  tone.stop()
  await context.close()
}
