import { beforeEach, describe, expect, it } from 'vitest'
import type { Gap, Track } from '../../shared/api'
import { covered, silenceAt, silences, union } from './coverage'
import { FAR_S, follow } from './follow'
import { Playback, type Part } from './playback'
import { keepPlace, placeOf } from './progress'

const track = (source: Track['source'], start_s: number, end_s: number): Track => ({
  source,
  file: `${source}${start_s}.webm`,
  mime: 'video/webm',
  start_s,
  end_s,
  width: null,
  height: null,
})
const gap = (source: string, start_s: number, end_s: number): Gap => ({ source, start_s, end_s, reason: 'x' })

describe('what is skipped', () => {
  const tracks = [track('camera', 0, 60), track('screen', 5, 50)]

  it('is a gap of everything that is longer than three seconds', () => {
    const gaps = [gap('camera', 20, 30), gap('screen', 20, 32), gap('microphone', 21, 31)]
    expect(silences({ tracks, gaps, voice_in: 'camera', duration_s: 60 })).toEqual([{ from: 21, to: 30 }])
  })

  it('is not a gap in which the voice goes on', () => {
    const gaps = [gap('camera', 20, 30), gap('screen', 20, 30)]
    expect(silences({ tracks, gaps, voice_in: 'camera', duration_s: 60 })).toEqual([])
  })

  it('is not a short gap', () => {
    const gaps = ['camera', 'screen', 'microphone'].map((source) => gap(source, 20, 22.5))
    expect(silences({ tracks, gaps, voice_in: 'camera', duration_s: 60 })).toEqual([])
  })

  it('is an empty beginning', () => {
    const late = [track('camera', 10, 60)]
    expect(silences({ tracks: late, gaps: [], voice_in: null, duration_s: 60 })).toEqual([{ from: 0, to: 10 }])
  })

  it('ends where something begins, and is not entered again', () => {
    const spans = [{ from: 20, to: 30 }]
    expect([19.9, 20, 29.9, 30].map((at) => silenceAt(spans, at) !== null)).toEqual([false, true, true, false])
  })

  it('knows what is covered', () => {
    const gaps = [gap('camera', 5, 10), gap('microphone', 5, 10)]
    expect(covered({ tracks: [track('camera', 0, 20)], gaps, voice_in: 'camera' })).toEqual([
      { from: 0, to: 5 },
      { from: 10, to: 20 },
    ])
    expect(union([{ from: 4, to: 6 }, { from: 0, to: 4 }, { from: 5, to: 5.5 }])).toEqual([{ from: 0, to: 6 }])
  })
})

describe('following', () => {
  it('leaves a near picture alone', () => expect(follow(0.02, 1)).toEqual({ kind: 'hold' }))
  it('slows a picture that is ahead and hastens one that is behind', () => {
    const ahead = follow(0.06, 1)
    const behind = follow(-0.06, 2)
    expect(ahead.kind === 'nudge' && ahead.rate < 1 && ahead.rate > 0.7).toBe(true)
    expect(behind.kind === 'nudge' && behind.rate > 2 && behind.rate < 2.6).toBe(true)
  })
  it('sets a far picture', () => expect(follow(-FAR_S - 0.01, 1)).toEqual({ kind: 'seek' }))
})

class FakeMedia {
  currentTime = 0
  playbackRate = 1
  paused = true
  ended = false
  seeking = false
  readyState = 4
  plays = 0

  play(): Promise<void> {
    this.paused = false
    this.plays++
    return Promise.resolve()
  }

  pause(): void {
    this.paused = true
  }
}

function part(of: Track): Part & { media: FakeMedia } {
  const media = new FakeMedia()
  return { track: of, element: media as unknown as HTMLMediaElement, media }
}

describe('playback', () => {
  let now = 0
  const camera = () => part(track('camera', 0, 60))

  /** Lets time pass for the clock and for every element that plays. */
  function pass(player: Playback, parts: { media: FakeMedia }[], seconds: number): void {
    for (let step = 0; step < Math.round(seconds * 20); step++) {
      now += 50
      for (const { media } of parts) if (!media.paused) media.currentTime += 0.05 * media.playbackRate
      player.tick(now)
    }
  }

  beforeEach(() => {
    now = 1000
  })

  it('runs by the voice and brings the picture along', async () => {
    const [voice, screen] = [camera(), part(track('screen', 0, 60))]
    const player = new Playback([voice, screen], 60, voice)
    await player.play(now)
    screen.media.currentTime = 0.2
    pass(player, [voice, screen], 2)
    expect(player.position).toBeCloseTo(voice.media.currentTime)
    expect(player.drift).toBeLessThan(0.08)
  })

  it('begins a file that starts late at its own place', async () => {
    const [voice, screen] = [camera(), part(track('screen', 5, 60))]
    const player = new Playback([voice, screen], 60, voice)
    await player.play(now)
    pass(player, [voice, screen], 3)
    expect(screen.media.paused).toBe(true)
    pass(player, [voice, screen], 3)
    expect(screen.media.paused).toBe(false)
    expect(player.drift).toBeLessThan(0.08)
  })

  it('goes on by the clock where there is no voice', async () => {
    const [voice, screen] = [part(track('camera', 4, 8)), part(track('screen', 0, 12))]
    const player = new Playback([voice, screen], 12, voice)
    await player.play(now)
    pass(player, [voice, screen], 3)
    expect(player.position).toBeCloseTo(3, 1)
    expect(voice.media.paused).toBe(true)
    pass(player, [voice, screen], 3)
    expect(voice.media.paused).toBe(false)
    expect(player.position).toBeCloseTo(6, 0)
    pass(player, [voice, screen], 8)
    expect(player.position).toBe(12)
    expect(player.playing).toBe(false)
  })

  it('lets the picture wait when the voice has no data', async () => {
    const [voice, screen] = [camera(), part(track('screen', 0, 60))]
    const player = new Playback([voice, screen], 60, voice)
    await player.play(now)
    pass(player, [voice, screen], 1)
    voice.media.readyState = 2
    pass(player, [voice, screen], 0.1)
    expect(player.waiting).toBe(true)
    expect(screen.media.paused).toBe(true)
  })

  it('starts together after a seek, or without a file that does not come', async () => {
    const [voice, screen] = [camera(), part(track('screen', 0, 60))]
    const player = new Playback([voice, screen], 60, voice)
    await player.play(now)
    pass(player, [voice, screen], 1)
    player.seek(30)
    expect([voice.media.currentTime, screen.media.currentTime]).toEqual([30, 30])
    screen.media.seeking = true
    pass(player, [voice, screen], 1)
    expect([voice.media.paused, player.waiting]).toEqual([true, true])
    pass(player, [voice, screen], 1)
    expect(voice.media.paused).toBe(false)
  })

  it('keeps the speed that was chosen', async () => {
    const [voice, screen] = [camera(), part(track('screen', 0, 60))]
    const player = new Playback([voice, screen], 60, voice)
    player.rate = 1.5
    await player.play(now)
    pass(player, [voice, screen], 2)
    expect(voice.media.playbackRate).toBe(1.5)
    expect(player.drift).toBeLessThan(0.08)
  })

  it('stays inside the lesson and starts over at its end', async () => {
    const voice = camera()
    const player = new Playback([voice], 60, voice)
    player.seek(-5)
    expect(player.position).toBe(0)
    player.seek(999)
    expect(player.position).toBe(60)
    await player.play(now)
    expect(player.position).toBe(0)
  })
})

describe('the place where a viewer stopped', () => {
  beforeEach(() => localStorage.clear())

  it('is found again, but neither at the beginning nor at the end', () => {
    keepPlace('a', 30)
    expect(placeOf('a', 60)).toBe(30)
    keepPlace('a', 3)
    expect(placeOf('a', 60)).toBe(0)
    keepPlace('a', 58)
    expect(placeOf('a', 60)).toBe(0)
    expect(placeOf('b', 60)).toBe(0)
  })

  it('is kept for the last fifty lessons', () => {
    for (let lesson = 0; lesson < 60; lesson++) keepPlace(`l${lesson}`, 30)
    expect([placeOf('l0', 60), placeOf('l59', 60)]).toEqual([0, 30])
  })

  it('survives a broken storage', () => {
    localStorage.setItem('zd.watched', '{')
    expect(placeOf('a', 60)).toBe(0)
  })
})
