import { describe, expect, it } from 'vitest'
import { clock, digitsOf, megabits, megabytes, percent, spacedCode } from './format'
import { levelOf } from './meter'
import { bitsPerSecond, count, report } from './stats'

describe('format', () => {
  it.each([
    [0, '00:00'],
    [59.9, '00:59'],
    [75, '01:15'],
    [3675, '1:01:15'],
    [-3, '00:00'],
  ])('%d seconds read %s', (seconds, text) => expect(clock(seconds)).toBe(text))

  it('shows six digits in threes', () => {
    expect(spacedCode('428913')).toBe('428 913')
    expect(spacedCode('42')).toBe('42')
  })

  it('finds the digits in what was typed, pasted or written wide', () => {
    expect(digitsOf('428 913')).toBe('428913')
    expect(digitsOf('\uff14\uff12\uff18-913 and 7')).toBe('428913')
    expect(digitsOf('abc')).toBe('')
  })

  it('shows as many digits as matter', () => {
    expect([null, 0, 450_000, 1_250_000, 12_400_000].map(megabits)).toEqual(['–', '0.00', '0.45', '1.3', '12'])
    expect([0, 1_240_000, 250_000_000].map(megabytes)).toEqual(['0.0', '1.2', '250'])
    expect([null, 0, 0.014, 0.37].map(percent)).toEqual(['–', '0.0%', '1.4%', '37%'])
  })
})

describe('level', () => {
  it('is nothing in silence, all in a shout, and between in speech', () => {
    const wave = (size: number) => Float32Array.from({ length: 1024 }, (_, index) => size * Math.sin(index / 5))
    expect(levelOf(new Float32Array(1024))).toBe(0)
    expect(levelOf(wave(1))).toBe(1)
    expect(levelOf(wave(0.05))).toBeGreaterThan(0.4)
    expect(levelOf(wave(0.05))).toBeLessThan(0.7)
  })
})

describe('report', () => {
  const audio = (concealed: number, silent: number, samples: number) => ({
    type: 'inbound-rtp',
    kind: 'audio',
    concealedSamples: concealed,
    silentConcealedSamples: silent,
    totalSamplesReceived: samples,
  })
  const video = (frozen: number) => ({
    type: 'inbound-rtp',
    kind: 'video',
    mid: '2',
    totalFreezesDuration: frozen,
    frameHeight: 360,
    framesPerSecond: 24,
  })
  const pair = { type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.0423, bytesReceived: 9 }

  it('holds what happened between two looks', () => {
    const before = count([audio(100, 0, 48_000), video(1), pair], '2', 0)
    const after = count([audio(1000, 420, 96_000), video(1.5), pair], '2', 5000)
    expect(report(before, after)).toEqual({
      audio_concealed_ratio: 0.01,
      freeze_ratio: 0.1,
      height: 360,
      fps: 24,
      rtt_ms: 42,
    })
    expect(after.received_bytes).toBe(9)
  })

  it('is silent about what is not there', () => {
    const nothing = count([], '2', 0)
    const none = { audio_concealed_ratio: null, freeze_ratio: null, height: null, fps: null, rtt_ms: null }
    expect(report(nothing, { ...nothing, at_ms: 5000 })).toEqual(none)
  })

  it('never turns negative when counters begin anew', () => {
    const before = count([audio(1000, 0, 90_000), video(9)], '2', 0)
    const after = count([audio(0, 0, 1000), video(0)], '2', 5000)
    expect(report(before, after)).toMatchObject({ audio_concealed_ratio: null, freeze_ratio: null })
    expect(bitsPerSecond(900, 100, 1000)).toBe(0)
    expect(bitsPerSecond(0, 125_000, 1000)).toBe(1_000_000)
  })
})
