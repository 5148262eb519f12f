/** Which codecs a page offers and in which order (PROTOCOL.md 1). */

export type VideoCodec = 'vp8' | 'h264'

/** The part of RTCRtpCodec that the choice reads. */
export interface CodecLike {
  mimeType: string
  sdpFmtpLine?: string
}

/** Constrained baseline and baseline, single-NAL packetization: what every school decoder plays. */
const H264_PROFILE = /profile-level-id=42(e0|00)1f/i
const H264_MODE = /packetization-mode=1/

function isVideo(codec: CodecLike, wanted: VideoCodec): boolean {
  const name = codec.mimeType.toLowerCase()
  if (wanted === 'vp8') return name === 'video/vp8'
  const line = codec.sdpFmtpLine ?? ''
  return name === 'video/h264' && H264_PROFILE.test(line) && H264_MODE.test(line)
}

/** The wanted codecs first to last, then RTX; everything else is left out of the offer. */
export function videoPreferences<T extends CodecLike>(all: readonly T[], wanted: readonly VideoCodec[]): T[] {
  const chosen = wanted.flatMap((codec) => all.filter((entry) => isVideo(entry, codec)))
  const rtx = all.filter((entry) => entry.mimeType.toLowerCase() === 'video/rtx')
  return chosen.length > 0 ? [...chosen, ...rtx] : []
}

/** RED before Opus where the browser has it, so that a lost packet is carried by the next. */
export function audioPreferences<T extends CodecLike>(all: readonly T[]): T[] {
  const named = (name: string) => all.filter((entry) => entry.mimeType.toLowerCase() === name)
  const opus = named('audio/opus')
  return opus.length > 0 ? [...named('audio/red'), ...opus] : []
}

/** Sets preferences where the browser can; an offer in default order works too. */
export function prefer(transceiver: RTCRtpTransceiver, codecs: RTCRtpCodec[]): void {
  if (codecs.length === 0 || !transceiver.setCodecPreferences) return
  try {
    transceiver.setCodecPreferences(codecs)
  } catch {
    // Older browsers refuse a list without their own extras; their default order holds VP8 and Opus.
  }
}

/** What this browser can decode of a kind. */
export function capabilities(kind: 'audio' | 'video'): RTCRtpCodec[] {
  if (typeof RTCRtpReceiver === 'undefined') return []
  return RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? []
}

/** The codec asked for in the address (`?codec=h264`), VP8 otherwise. */
export function codecFromQuery(search: string): VideoCodec {
  return new URLSearchParams(search).get('codec')?.toLowerCase() === 'h264' ? 'h264' : 'vp8'
}
