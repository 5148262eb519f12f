/** Cameras, microphones and the screen, with every refusal as a code. */

import { CodedError, type Source } from './protocol'

export interface Choice {
  id: string
  label: string
}

export interface Devices {
  cameras: Choice[]
  microphones: Choice[]
}

const FAULTS: Record<string, string> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'absent',
  OverconstrainedError: 'absent',
  NotReadableError: 'busy',
  AbortError: 'busy',
}

/** The code of a failed capture: `camera_denied`, `microphone_absent`, `screen_cancelled` … */
export function captureCode(source: Source, error: unknown): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  if (source === 'screen' && name === 'NotAllowedError') return 'screen_cancelled'
  return `${source}_${FAULTS[name] ?? 'busy'}`
}

function media(): MediaDevices {
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices) throw new CodedError('insecure')
  return devices
}

/** What is plugged in; labels are empty until a permission was given. */
export async function listDevices(): Promise<Devices> {
  const all = await media().enumerateDevices()
  const kind = (wanted: MediaDeviceKind) =>
    all
      .filter((device) => device.kind === wanted && device.deviceId !== '')
      .map((device) => ({ id: device.deviceId, label: device.label }))
  return { cameras: kind('videoinput'), microphones: kind('audioinput') }
}

function cameraConstraints(id: string | null, height: number): MediaTrackConstraints {
  const wish = { width: { ideal: (height * 16) / 9 }, height: { ideal: height }, frameRate: { ideal: 25, max: 30 } }
  return id ? { ...wish, deviceId: { exact: id } } : wish
}

function microphoneConstraints(id: string | null): MediaTrackConstraints {
  const wish = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: { ideal: 1 } }
  return id ? { ...wish, deviceId: { exact: id } } : wish
}

async function capture(source: 'camera' | 'microphone', id: string | null, height: number): Promise<MediaStreamTrack> {
  const constraints: MediaStreamConstraints =
    source === 'camera' ? { video: cameraConstraints(id, height) } : { audio: microphoneConstraints(id) }
  const stream = await media().getUserMedia(constraints)
  const track = stream.getTracks()[0]
  if (!track) throw new CodedError(`${source}_absent`)
  return track
}

/** Opens a device; where the remembered one is gone, any other of its kind is better than none. */
export async function openDevice(source: 'camera' | 'microphone', id: string | null, height = 720): Promise<MediaStreamTrack> {
  try {
    return await capture(source, id, height)
  } catch (error) {
    if (error instanceof CodedError) throw error
    if (id && captureCode(source, error).endsWith('_absent')) return openDevice(source, null, height)
    throw new CodedError(captureCode(source, error))
  }
}

/** Asks for the screen: full resolution, few frames, no sound of the computer. */
export async function openScreen(): Promise<MediaStreamTrack> {
  const devices = media()
  if (!devices.getDisplayMedia) throw new CodedError('screen_unsupported')
  try {
    const stream = await devices.getDisplayMedia({ video: { frameRate: { ideal: 5, max: 10 } }, audio: false })
    const track = stream.getVideoTracks()[0]
    if (!track) throw new CodedError('screen_absent')
    return track
  } catch (error) {
    throw error instanceof CodedError ? error : new CodedError(captureCode('screen', error))
  }
}

/** Calls back when something is plugged in or out; returns how to stop. */
export function watchDevices(changed: () => void): () => void {
  const devices = navigator.mediaDevices as MediaDevices | undefined
  devices?.addEventListener('devicechange', changed)
  return () => devices?.removeEventListener('devicechange', changed)
}
