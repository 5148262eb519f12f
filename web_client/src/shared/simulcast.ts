/** The camera's three layers: heights 180, 360, 720 whatever the camera's own height is. */

import type { VideoCodec } from './codecs'
import { adjust } from './layers'

export interface Layer {
  rid: string
  height: number
  maxBitrate: number
  maxFramerate: number
}

/** Lowest first, as browsers want them. Bit rates in bits per second. */
export const CAMERA_LAYERS: readonly Layer[] = [
  { rid: 'l', height: 180, maxBitrate: 90_000, maxFramerate: 15 },
  { rid: 'm', height: 360, maxBitrate: 350_000, maxFramerate: 25 },
  { rid: 'h', height: 720, maxBitrate: 1_200_000, maxFramerate: 25 },
]

/** A whole slide in one key frame needs room; still pages cost almost nothing. */
export const SCREEN_ENCODING = { maxBitrate: 2_500_000, maxFramerate: 5 }

/** A layer is never scaled up: a small camera yields smaller layers. */
export function scaleFor(cameraHeight: number, layer: Layer): number {
  return Math.max(1, cameraHeight / layer.height)
}

/** Encodings in `addTransceiver` form; temporal layers only where the encoder is known to take them. */
export function cameraEncodings(cameraHeight: number, temporal: boolean): RTCRtpEncodingParameters[] {
  return CAMERA_LAYERS.map((layer) => ({
    rid: layer.rid,
    scaleResolutionDownBy: scaleFor(cameraHeight, layer),
    maxBitrate: layer.maxBitrate,
    maxFramerate: layer.maxFramerate,
    ...(temporal ? { scalabilityMode: 'L1T3' } : {}),
  }))
}

/** Hardware H.264 encoders refuse temporal layers; VP8 in software has them. */
export function wantsTemporal(codec: VideoCodec): boolean {
  return codec === 'vp8'
}

/** Adds the camera's m-line, first with temporal layers, then without, for browsers that refuse the mode. */
export function addCamera(pc: RTCPeerConnection, cameraHeight: number, codec: VideoCodec): RTCRtpTransceiver {
  const add = (temporal: boolean) =>
    pc.addTransceiver('video', { direction: 'sendonly', sendEncodings: cameraEncodings(cameraHeight, temporal) })
  if (!wantsTemporal(codec)) return add(false)
  try {
    return add(true)
  } catch {
    return add(false)
  }
}

/** Re-aims the layers after another camera was put in. */
export function rescale(sender: RTCRtpSender, cameraHeight: number): Promise<void> {
  return adjust(sender, ({ encodings }) => {
    for (const encoding of encodings) {
      const layer = CAMERA_LAYERS.find((one) => one.rid === encoding.rid)
      if (layer) encoding.scaleResolutionDownBy = scaleFor(cameraHeight, layer)
    }
    return true
  })
}
