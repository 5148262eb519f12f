import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakePeer, createFake } from '../../../shared/fakepeer'
import { OwnLines } from '../../../shared/ownlines'
import { OwnEconomy } from './economy'
import { needed, stillEvery, type Wish } from './wish'

const wish = (change: Partial<Wish>): Wish => ({ stage: false, hand: false, still_s: 0, width: 320, level: false, camera: false, ...change })
const NONE = { microphone: false, camera: false }
const BOTH = { microphone: true, camera: true }

describe('devices', () => {
  it.each([
    ['nothing for nothing', {}, BOTH, NONE],
    ['both for the stage, though somebody has to be asked', { stage: true }, NONE, BOTH],
    ['the microphone for who wants to speak', { hand: true }, NONE, { microphone: true, camera: false }],
    ['nothing for the wall where that would put a question', { still_s: 4, level: true, camera: true }, NONE, NONE],
    ['what the wall wants where it is allowed', { still_s: 4, level: true }, BOTH, BOTH],
    ['the camera for a picture that is pinned', { camera: true }, BOTH, { microphone: false, camera: true }],
  ])('are opened: %s', (_, change, allowed, expected) => expect(needed(wish(change), allowed)).toEqual(expected))

  it('give stills at the pace of the wall, and of their own where no picture can move', () => {
    expect(stillEvery(wish({ still_s: 6, width: 240 }), 0)).toEqual({ still_s: 6, width: 240 })
    expect(stillEvery(wish({ stage: true }), 1).still_s).toBe(0)
    expect(stillEvery(wish({ stage: true }), 0)).toEqual({ still_s: 4, width: 320 })
  })
})

describe('the uplink of who speaks', () => {
  const follow = (economy: OwnEconomy, bps: number, short: boolean, until_s: number) => {
    let encodings = economy.look({ bps: null, short: false, blind: true }, 0)
    for (let s = 1; s <= until_s; s++) encodings = economy.look({ bps, short, blind: encodings === 0 }, 1000 * s)
    return encodings
  }

  it('begins with the small picture and adds the large one where there is room', () => {
    const economy = new OwnEconomy(false)
    expect(economy.look({ bps: null, short: false, blind: true }, 0)).toBe(1)
    expect(follow(new OwnEconomy(false), 900_000, false, 14)).toBe(2)
  })

  it('gives up the picture when the line is short, for the voice', () => {
    expect(follow(new OwnEconomy(false), 60_000, true, 6)).toBe(0)
  })

  it('begins with the voice and stills alone where the line is known to be thin', () => {
    expect(follow(new OwnEconomy(true), 60_000, false, 30)).toBe(0)
    expect(follow(new OwnEconomy(true), 300_000, false, 30)).toBeGreaterThan(0)
  })
})

describe('own lines', () => {
  beforeEach(() => (FakePeer.made = []))
  afterEach(() => vi.restoreAllMocks())
  const track = (kind: string) => ({ kind, getSettings: () => ({ height: 360 }) }) as unknown as MediaStreamTrack
  const sent = (place: number) => FakePeer.made[place]?.transceivers.map(({ sender }) => sender.track)

  it('carry nothing until this classroom is called, and nothing any more when it is over', async () => {
    const lines = new OwnLines()
    await lines.add(createFake())
    expect(sent(0)).toEqual([null, null])
    const voice = track('audio')
    await lines.put('microphone', voice)
    expect(sent(0)).toEqual([voice, null])
    await lines.put('microphone', null)
    expect(sent(0)).toEqual([null, null])
  })

  it('go on over the next connection', async () => {
    const lines = new OwnLines()
    await lines.add(createFake())
    const [voice, camera] = [track('audio'), track('video')]
    await lines.put('microphone', voice)
    await lines.put('camera', camera)
    await lines.add(createFake())
    expect(sent(1)).toEqual([voice, camera])
  })

  it('send two pictures at most, of 180 and 360 lines, and as many as the line bears', async () => {
    const lines = new OwnLines()
    await lines.add(createFake())
    await lines.put('camera', track('video'))
    const encodings = () => FakePeer.made[0]?.transceivers[1]?.sender.parameters.encodings
    await vi.waitFor(() => expect(encodings()?.map((one) => [one.rid, one.scaleResolutionDownBy])).toEqual([['l', 2], ['m', 1]]))
    lines.allow(1)
    await vi.waitFor(() => expect(encodings()?.map((one) => one.active)).toEqual([true, false]))
  })
})
