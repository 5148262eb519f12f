import { expect, it, vi } from 'vitest'
import { audioPreferences, codecFromQuery, prefer, videoPreferences } from './codecs'
import { CAMERA_LAYERS, cameraEncodings, scaleFor } from './simulcast'

const h264 = (profile: string, mode: number) => ({
  mimeType: 'video/H264',
  sdpFmtpLine: `level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profile}`,
})
const VP8 = { mimeType: 'video/VP8' }
const RTX = { mimeType: 'video/rtx' }
const ALL = [{ mimeType: 'video/AV1' }, VP8, RTX, h264('42001f', 1), h264('42e01f', 0), h264('42e01f', 1), h264('640c1f', 1)]

it('offers VP8 and its repairs alone', () => {
  expect(videoPreferences(ALL, ['vp8'])).toEqual([VP8, RTX])
})

it('offers H.264 only in the profiles that every decoder plays', () => {
  expect(videoPreferences(ALL, ['h264'])).toEqual([h264('42001f', 1), h264('42e01f', 1), RTX])
})

it('leaves a browser without the codec to its own order', () => {
  expect(videoPreferences([RTX], ['vp8'])).toEqual([])
  expect(audioPreferences([{ mimeType: 'audio/PCMU' }])).toEqual([])
})

it('puts RED before Opus where there is RED', () => {
  const opus = { mimeType: 'audio/opus' }
  const red = { mimeType: 'audio/red' }
  expect(audioPreferences([opus, red, { mimeType: 'audio/CN' }])).toEqual([red, opus])
  expect(audioPreferences([opus])).toEqual([opus])
})

it('bears a browser that refuses the preferences', () => {
  const refusing = { setCodecPreferences: vi.fn().mockImplementation(() => { throw new Error() }) }
  expect(() => prefer(refusing as unknown as RTCRtpTransceiver, [{ mimeType: 'a', clockRate: 1 }])).not.toThrow()
})

it.each([
  ['?codec=h264', 'h264'],
  ['?codec=H264', 'h264'],
  ['?codec=vp9', 'vp8'],
  ['', 'vp8'],
])('reads %j as %s', (search, codec) => {
  expect(codecFromQuery(search)).toBe(codec)
})

it.each([
  [1080, [6, 3, 1.5]],
  [720, [4, 2, 1]],
  [480, [480 / 180, 480 / 360, 1]],
  [120, [1, 1, 1]],
])('scales a camera of %i lines to the layers, never up', (height, scales) => {
  expect(CAMERA_LAYERS.map((layer) => scaleFor(height, layer))).toEqual(scales)
})

it('keeps the lowest layer between 60 and 100 kbit/s', () => {
  const [lowest] = cameraEncodings(720, true)
  expect(lowest?.maxBitrate).toBeGreaterThanOrEqual(60_000)
  expect(lowest?.maxBitrate).toBeLessThanOrEqual(100_000)
})
