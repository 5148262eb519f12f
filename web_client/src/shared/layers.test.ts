import { beforeEach, expect, it } from 'vitest'
import { FakePeer, createFake } from './fakepeer'
import { RETRY_MS, Room, adjust, running } from './layers'
import { Publisher } from './publisher'

const camera = () => FakePeer.made[FakePeer.made.length - 1]?.transceivers[2]?.sender
const screen = () => FakePeer.made[FakePeer.made.length - 1]?.transceivers[3]?.sender
const active = (sender: ReturnType<typeof camera>) => sender?.parameters.encodings.map((one) => one.active !== false)
const ALL = { camera: 3, screen: true, voice: true, recorded: true, stills_bps: null }
const settled = () => new Promise((resolve) => setTimeout(resolve))

let answered: (publisher: Publisher) => void = () => undefined

function publisher(): Publisher {
  const made: Publisher = new Publisher({
    codec: 'vp8',
    negotiate: () => {
      answered(made)
      return Promise.resolve('answer')
    },
    channel: () => undefined,
    track: () => undefined,
    state: () => undefined,
    fault: () => undefined,
    create: createFake,
  })
  return made
}

beforeEach(() => {
  FakePeer.made = []
  answered = () => undefined
})

it('sends what classrooms want, counted from the lowest', async () => {
  const here = publisher()
  await here.link.rebuild()
  here.obey({ camera: { watched: 1, recorded: 0 }, screen: { watched: 0, recorded: 0 } })
  await settled()
  expect([active(camera()), active(screen())]).toEqual([[true, false, false], [false]])
  here.obey({ camera: { watched: 3, recorded: 0 }, screen: { watched: 1, recorded: 0 } })
  await settled()
  expect([active(camera()), active(screen())]).toEqual([[true, true, true], [true]])
})

it('sends what only the recording wants while the uplink has room', async () => {
  const here = publisher()
  await here.link.rebuild()
  here.obey({ camera: { watched: 1, recorded: 3 }, screen: null })
  here.allow({ ...ALL, recorded: false })
  await settled()
  expect(active(camera())).toEqual([true, false, false])
  here.allow(ALL)
  await settled()
  expect(active(camera())).toEqual([true, true, true])
})

it('leaves out what the uplink has no room for, whoever watches', async () => {
  const here = publisher()
  await here.link.rebuild()
  here.allow({ ...ALL, screen: false, voice: false, camera: 0 })
  await settled()
  const [normal, low] = FakePeer.made[0]?.transceivers ?? []
  expect([normal, low].map((line) => active(line?.sender))).toEqual([[false], [true]])
  expect([active(camera()), active(screen())]).toEqual([[false, false, false], [false]])
  here.allow(ALL)
  await settled()
  expect([active(normal?.sender), active(camera()), active(screen())]).toEqual([[true], [true, true, true], [true]])
})

it('begins a new connection with everything, whatever was said about the one before', async () => {
  const here = publisher()
  await here.link.rebuild()
  answered = (late) => late.obey({ camera: { watched: 0, recorded: 0 }, screen: null })
  await here.link.rebuild()
  await settled()
  expect(active(camera())).toEqual([true, true, true])
})

it('keeps its orders over an ICE restart', async () => {
  const here = publisher()
  await here.link.rebuild()
  here.obey({ camera: { watched: 1, recorded: 0 }, screen: null })
  await here.link.restartIce()
  await settled()
  expect(active(camera())).toEqual([true, false, false])
})

it('changes parameters one after another', async () => {
  const here = publisher()
  await here.link.rebuild()
  const sender = camera() as unknown as RTCRtpSender
  const order: string[] = []
  const set = sender.setParameters.bind(sender)
  sender.setParameters = async (parameters) => {
    order.push('set')
    await set(parameters)
    order.push('done')
  }
  await Promise.all([adjust(sender, () => true), adjust(sender, () => true)])
  expect(order).toEqual(['set', 'done', 'set', 'done'])
})

it('prefers what is watched to what is recorded', () => {
  expect([running({ watched: 1, recorded: 3 }, true), running({ watched: 1, recorded: 3 }, false)]).toEqual([3, 1])
  expect(running({ watched: 2, recorded: 1 }, true)).toBe(2)
})

it('tries again when the line was no longer short for a while, and more seldom when that failed', () => {
  const room = new Room()
  expect(room.look(false, 1)).toBe(true)
  expect(room.look(true, 1000)).toBe(false)
  expect(room.look(false, 999 + RETRY_MS)).toBe(false)
  expect(room.look(false, 1000 + RETRY_MS)).toBe(true)
  const again = 10_000 + RETRY_MS
  expect(room.look(true, again)).toBe(false)
  expect(room.look(false, again + RETRY_MS)).toBe(false)
  expect(room.look(false, again + 2 * RETRY_MS)).toBe(true)
})
