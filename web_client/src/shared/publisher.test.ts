import { beforeEach, expect, it } from 'vitest'
import { FakePeer, createFake } from './fakepeer'
import { Publisher } from './publisher'
import { Receiver } from './receiver'
import { LOW_RATE_BPS } from './voice'

const offers: string[] = []
const common = {
  negotiate: (sdp: string) => {
    offers.push(sdp)
    return Promise.resolve('answer')
  },
  channel: () => undefined,
  track: () => undefined,
  state: () => undefined,
  fault: () => undefined,
  create: createFake,
}
const last = () => FakePeer.made[FakePeer.made.length - 1] as FakePeer

function track(kind: string, height = 720): MediaStreamTrack {
  return { kind, enabled: true, contentHint: '', getSettings: () => ({ height }) } as unknown as MediaStreamTrack
}

beforeEach(() => {
  FakePeer.made = []
  FakePeer.refuseScalability = false
  offers.length = 0
})

const STAGE = 'audio recvonly|audio recvonly|video recvonly|video recvonly'

it('offers the fixed lines of an output end: two microphones, camera, screen, the stage, two pinned, data', async () => {
  await new Publisher({ codec: 'vp8', ...common }).link.rebuild()
  const sent = 'audio sendonly|audio sendonly|video sendonly|video sendonly'
  expect(offers).toEqual([`${sent}|${STAGE}|video recvonly|video recvonly|data`])
})

it('offers the fixed lines of a classroom: the lesson, the stage, its own voice and camera, data', async () => {
  await new Receiver({ target_ms: () => 200, ...common }).link.rebuild()
  const lesson = 'audio recvonly|audio recvonly|video recvonly|video recvonly'
  expect(offers).toEqual([`${lesson}|${STAGE}|audio sendonly|video sendonly|data`])
})

it('sends the camera in three layers with temporal layers, the screen in one of few frames', async () => {
  await new Publisher({ codec: 'vp8', ...common }).link.rebuild()
  const [, , camera, screen] = last().transceivers
  expect(camera?.init.sendEncodings?.map((one) => [one.rid, one.scaleResolutionDownBy])).toEqual([
    ['l', 4],
    ['m', 2],
    ['h', 1],
  ])
  expect(camera?.init.sendEncodings?.every((one) => 'scalabilityMode' in one)).toBe(true)
  expect(screen?.init.sendEncodings?.[0]?.maxFramerate).toBe(5)
})

it('sends without temporal layers where the browser refuses them', async () => {
  FakePeer.refuseScalability = true
  await new Publisher({ codec: 'vp8', ...common }).link.rebuild()
  const camera = last().transceivers[2]
  expect(camera?.init.sendEncodings?.map((one) => one.rid)).toEqual(['l', 'm', 'h'])
  expect(camera?.init.sendEncodings?.some((one) => 'scalabilityMode' in one)).toBe(false)
})

it('puts tracks on their lines without a new offer, and takes them off', async () => {
  const publisher = new Publisher({ codec: 'vp8', ...common })
  await publisher.link.rebuild()
  const screen = track('video')
  await publisher.put('screen', screen)
  expect(last().transceivers[3]?.sender.track).toBe(screen)
  expect(screen.contentHint).toBe('text')
  expect(publisher.sources).toEqual({ microphone: false, camera: false, screen: true })
  await publisher.put('screen', null)
  expect(last().transceivers[3]?.sender.track).toBeNull()
  expect(offers.length).toBe(1)
})

it('carries its tracks over to a rebuilt connection', async () => {
  const publisher = new Publisher({ codec: 'vp8', ...common })
  const microphone = track('audio')
  await publisher.put('microphone', microphone)
  await publisher.link.rebuild()
  await publisher.link.rebuild()
  expect(FakePeer.made.map((peer) => peer.transceivers[0]?.sender.track)).toEqual([microphone, microphone])
  expect(FakePeer.made.map((peer) => peer.transceivers[1]?.sender.track)).toEqual([microphone, microphone])
})

it('sends the same voice a second time at a low rate, and both before all else', async () => {
  const publisher = new Publisher({ codec: 'vp8', ...common })
  await publisher.link.rebuild()
  const microphone = track('audio')
  await publisher.put('microphone', microphone)
  const [normal, low] = last().transceivers
  expect([normal?.sender.track, low?.sender.track]).toEqual([microphone, microphone])
  expect(normal?.init.sendEncodings?.[0]?.maxBitrate).toBeUndefined()
  expect(low?.init.sendEncodings?.[0]?.maxBitrate).toBe(LOW_RATE_BPS)
  expect([normal, low].map((line) => line?.init.sendEncodings?.[0]?.priority)).toEqual(['high', 'high'])
  await publisher.put('microphone', null)
  expect([normal?.sender.track, low?.sender.track]).toEqual([null, null])
})

it('aims the layers anew for a camera of another height', async () => {
  const publisher = new Publisher({ codec: 'vp8', ...common })
  await publisher.link.rebuild()
  await publisher.put('camera', track('video', 360))
  const encodings = last().transceivers[2]?.sender.parameters.encodings
  expect(encodings?.map((one) => one.scaleResolutionDownBy)).toEqual([2, 1, 1])
})

it('does not count a muted microphone as sent', async () => {
  const publisher = new Publisher({ codec: 'vp8', ...common })
  const microphone = track('audio')
  await publisher.put('microphone', microphone)
  microphone.enabled = false
  expect(publisher.sources.microphone).toBe(false)
})

it('lets small print stay sharp', async () => {
  await new Publisher({ codec: 'vp8', ...common }).link.rebuild()
  const parameters = last().transceivers[3]?.sender.parameters as { degradationPreference?: string }
  expect(parameters.degradationPreference).toBe('maintain-resolution')
})
