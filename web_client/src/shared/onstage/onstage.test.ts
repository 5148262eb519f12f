import { describe, expect, it } from 'vitest'
import { Ducking, gains } from './ducking'

const DOWN = 10 ** (-12 / 20)

describe('two on stage', () => {
  it('are both heard in full while they are about equally loud', () => {
    expect(gains([-20, -25])).toEqual([1, 1])
    expect(gains([-60, -60])).toEqual([1, 1])
  })

  it('turn the softer one down by 12 dB', () => {
    expect(gains([-20, -26])).toEqual([1, DOWN])
    expect(gains([-60, -20])).toEqual([DOWN, 1])
  })

  it('do not change places between two syllables', () => {
    const ducking = new Ducking()
    expect(ducking.look([0.2, 0.001], 0)).toEqual([1, DOWN])
    expect(ducking.look([0.001, 0.001], 200), 'a pause of a fifth of a second').toEqual([1, DOWN])
    ducking.look([0.001, 0.2], 1000)
    expect(ducking.look([0.001, 0.2], 3000)).toEqual([DOWN, 1])
  })
})
