/** A classroom's own voice and camera: m-lines from the first offer on, tracks only while it is called (PROTOCOL.md 1, 2). */

import { capabilities, prefer, videoPreferences } from './codecs'
import { activate } from './layers'
import { CAMERA_LAYERS, cameraEncodings, rescale } from './simulcast'

/** The camera of a classroom stops at 360 lines. */
export const OWN_LAYERS = 2
/** With its headers 50 kbit/s: a link of 64 carries it. */
export const OWN_VOICE_BPS = 24_000

const OWN_HEIGHT = CAMERA_LAYERS[OWN_LAYERS - 1]!.height

type Own = 'microphone' | 'camera'

/** Keeps what is to be sent, and puts it on the lines of one connection after another. */
export class OwnLines {
  private senders: Record<Own, RTCRtpSender> | null = null
  private readonly tracks: Record<Own, MediaStreamTrack | null> = { microphone: null, camera: null }
  private encodings = OWN_LAYERS

  /** Adds the two lines to a connection that is being built. */
  async add(pc: RTCPeerConnection): Promise<void> {
    const first = { priority: 'high', networkPriority: 'high', maxBitrate: OWN_VOICE_BPS } as const
    const voice = pc.addTransceiver('audio', { direction: 'sendonly', sendEncodings: [first] })
    const all = capabilities('audio').filter(({ mimeType }) => mimeType.toLowerCase() === 'audio/opus')
    prefer(voice, all)
    const sendEncodings = cameraEncodings(OWN_HEIGHT, false).slice(0, OWN_LAYERS)
    const camera = pc.addTransceiver('video', { direction: 'sendonly', sendEncodings })
    prefer(camera, videoPreferences(capabilities('video'), ['vp8', 'h264']))
    this.senders = { microphone: voice.sender, camera: camera.sender }
    await Promise.all([voice.sender.replaceTrack(this.tracks.microphone), camera.sender.replaceTrack(this.tracks.camera)])
    this.aim()
  }

  /** Sends a track from now on, or nothing. */
  async put(own: Own, track: MediaStreamTrack | null): Promise<void> {
    if (this.tracks[own] === track) return
    this.tracks[own] = track
    await this.senders?.[own].replaceTrack(track)
    if (own === 'camera') this.aim()
  }

  /** How many encodings of the camera run, counted from the lowest. */
  allow(encodings: number): void {
    this.encodings = encodings
    if (this.senders) void activate(this.senders.camera, encodings)
  }

  private aim(): void {
    const { camera } = this.tracks
    if (this.senders && camera) void rescale(this.senders.camera, camera.getSettings().height ?? OWN_HEIGHT)
    this.allow(this.encodings)
  }
}
