/** The m-lines of the stage and of pinned pictures (PROTOCOL.md section 1); we offer, so their mids are their places. */

import { audioPreferences, capabilities, prefer, videoPreferences } from './codecs'

/** Where the two on stage are heard and seen, at every page. */
export const STAGE = { audio: ['4', '5'], video: ['6', '7'] } as const
/** Where an output end sees what it pinned. */
export const PINNED = ['8', '9'] as const
export const PINS = PINNED.length

/** Adds one slot that the server fills, empties and refills. */
export function addSlot(pc: RTCPeerConnection, kind: 'audio' | 'video'): void {
  const transceiver = pc.addTransceiver(kind, { direction: 'recvonly' })
  const all = capabilities(kind)
  prefer(transceiver, kind === 'audio' ? opusFirst(all) : videoPreferences(all, ['vp8', 'h264']))
}

/** Adds the slots of the stage. */
export function addStage(pc: RTCPeerConnection): void {
  for (const kind of ['audio', 'video'] as const) for (const _ of STAGE[kind]) addSlot(pc, kind)
}

/** A receiver takes both; Opus first, because plain Opus is the server's default. */
function opusFirst(all: RTCRtpCodec[]): RTCRtpCodec[] {
  return audioPreferences(all).reverse()
}
