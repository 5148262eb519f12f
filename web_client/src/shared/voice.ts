/** The voice on its two m-lines: normal, and at a low rate for links that carry little else (PROTOCOL.md 1). */

import { audioPreferences, capabilities, prefer } from './codecs'

/** The server's answer asks for 60 ms a packet on this line; no copies, its receivers get those from the server. */
export const LOW_RATE_BPS = 13_000

/** The voice is the last thing that a short line gives up. */
const FIRST: RTCRtpEncodingParameters = { priority: 'high', networkPriority: 'high' }

/** The senders of one voice; both carry the same track. */
export interface VoiceSenders {
  normal: RTCRtpSender
  low: RTCRtpSender
}

/** Adds both lines, in their order. */
export function addVoice(pc: RTCPeerConnection): VoiceSenders {
  const add = (encoding: RTCRtpEncodingParameters) =>
    pc.addTransceiver('audio', { direction: 'sendonly', sendEncodings: [encoding] })
  const all = audioPreferences(capabilities('audio'))
  const normal = add(FIRST)
  const low = add({ ...FIRST, maxBitrate: LOW_RATE_BPS })
  prefer(normal, all)
  prefer(
    low,
    all.filter((codec) => codec.mimeType.toLowerCase() === 'audio/opus'),
  )
  return { normal: normal.sender, low: low.sender }
}

/** Puts a microphone on both lines, or takes it off. */
export async function speak(voice: VoiceSenders, track: MediaStreamTrack | null): Promise<void> {
  await Promise.all([voice.normal.replaceTrack(track), voice.low.replaceTrack(track)])
}
