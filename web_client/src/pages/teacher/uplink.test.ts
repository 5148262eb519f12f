import { describe, expect, it } from 'vitest'
import type { Look } from '../../shared/onstage/gate'
import { Economy } from './economy'
import { UplinkReader } from '../../shared/onstage/line'
import { LASTS_MS, ShortageWatch, shortageSentence } from './shortage'

const line = { type: 'candidate-pair', nominated: true, state: 'succeeded', availableOutgoingBitrate: 283_000 }
const layer = (id: string, frameHeight: number, framesSent: number, qualityLimitationReason: string, mid = '2') => {
  return { type: 'outbound-rtp', kind: 'video', id, mid, frameHeight, framesSent, qualityLimitationReason }
}

describe('a short uplink', () => {
  const watching = () => {
    const [reader, watch] = [new UplinkReader(), new ShortageWatch()]
    return (stats: unknown[], now_ms: number) => watch.look(reader.read(stats), false, false, now_ms)
  }

  it('is told once it lasts, with the best picture that still goes out', () => {
    const look = watching()
    const stats = (frames: number) => {
      return [line, layer('l', 180, frames, 'bandwidth'), layer('h', 720, 5, 'bandwidth')]
    }
    expect(look(stats(1), 0)).toBeNull()
    expect(look(stats(20), LASTS_MS - 1)).toBeNull()
    const shortage = look(stats(40), LASTS_MS)
    expect(shortage).toEqual({ kbps: 280, height: 180, stills: false })
    expect(shortage && shortageSentence(shortage)).toContain('180p')
    expect(look(stats(40), LASTS_MS + 2000)?.height).toBe(0)
  })

  it('does not call the height of the slides that of the picture', () => {
    const look = watching()
    const stats = (frames: number) => {
      return [line, layer('l', 180, frames, 'bandwidth'), layer('s', 1080, frames, 'none', '3')]
    }
    look(stats(1), 0)
    expect(look(stats(20), LASTS_MS)?.height).toBe(180)
  })

  it('does not speak of encodings that are switched off', () => {
    const look = watching()
    const off = { ...layer('h', 720, 5, 'bandwidth'), active: false }
    expect(look([line, layer('l', 180, 1, 'none'), off], 0)).toBeNull()
    expect(look([line, layer('l', 180, 20, 'none'), off], LASTS_MS)).toBeNull()
  })

  it('is over when the browser is no longer held back, and a busy processor is none', () => {
    const look = watching()
    look([line, layer('l', 180, 1, 'bandwidth')], 0)
    look([line, layer('l', 180, 2, 'cpu')], 4000)
    expect(look([line, layer('l', 180, 3, 'bandwidth')], LASTS_MS)).toBeNull()
  })

  it('is told as long as something is left out for the voice', () => {
    const shortage = new ShortageWatch().look(new UplinkReader().read([line]), true, true, 0)
    expect(shortage).toEqual({ kbps: 280, height: 0, stills: true })
    expect(shortage && shortageSentence(shortage)).toContain('280 kbit/s')
  })

  it('keeps the last estimate where the browser leaves it out, and sees what waits in the line', () => {
    const reader = new UplinkReader()
    reader.read([{ ...line, currentRoundTripTime: 0.05 }])
    const next = reader.read([{ ...line, availableOutgoingBitrate: undefined, currentRoundTripTime: 0.5 }])
    expect([next.bps, next.queued]).toEqual([283_000, true])
  })
})

describe('economy', () => {
  const follow = (economy: Economy, bps: number, from_s: number, until_s: number, rest: Partial<Look> = {}) => {
    let allowed = economy.look({ bps, short: true, blind: false, ...rest }, 1000 * from_s)
    for (let s = from_s + 1; s <= until_s; s++) allowed = economy.look({ bps, short: true, blind: false, ...rest }, 1000 * s)
    return allowed
  }

  it.each([
    [1_500_000, { camera: 3, screen: true, voice: true, stills_bps: null }],
    [600_000, { camera: 3, screen: true, voice: true, stills_bps: null }],
    [300_000, { camera: 1, screen: false, voice: true, stills_bps: 120_000 }],
    [100_000, { camera: 1, screen: false, voice: false, stills_bps: 40_000 }],
    [55_000, { camera: 0, screen: false, voice: false, stills_bps: 22_000 }],
  ])('at %i bit/s allows %j', (bps, allowed) => {
    expect(follow(new Economy(), bps, 0, 20)).toEqual(allowed)
  })

  it('waits until the line has been found out, and is not taken in by a low estimate of a line that is not short', () => {
    expect(follow(new Economy(), 55_000, 0, 7).voice).toBe(true)
    expect(follow(new Economy(), 55_000, 0, 60, { short: false })).toMatchObject({ screen: true, voice: true, camera: 3 })
  })

  it('gives back what fits again after a while', () => {
    const economy = new Economy()
    follow(economy, 100_000, 0, 20)
    expect(follow(economy, 400_000, 21, 30).voice).toBe(false)
    expect(follow(economy, 400_000, 31, 32).voice).toBe(true)
  })

  it('tries a picture again when only that can tell, and never the voice while a picture tells', () => {
    const economy = new Economy()
    follow(economy, 55_000, 0, 20)
    const tried = follow(economy, 60_000, 21, 72)
    expect([tried.camera, tried.voice]).toEqual([1, false])
    expect(follow(economy, 55_000, 73, 76).camera).toBe(0)
    expect(follow(economy, 60_000, 77, 170).camera, 'a try that failed makes the next one wait longer').toBe(0)
  })

  it('does not try the screen where the line has no room for the smallest picture', () => {
    const economy = new Economy()
    follow(economy, 55_000, 0, 20)
    for (const [from_s, until_s] of [[21, 200], [201, 400]] as const) {
      expect(follow(economy, 55_000, from_s, until_s, { blind: true }).screen).toBe(false)
    }
  })

  it('tries the voice where no picture is sent at all', () => {
    const economy = new Economy()
    follow(economy, 55_000, 0, 20, { blind: true })
    expect(follow(economy, 70_000, 21, 85, { blind: true, short: false }).voice).toBe(true)
  })
})
