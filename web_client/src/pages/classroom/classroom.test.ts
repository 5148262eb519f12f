import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, shallowRef } from 'vue'
import type { Rung, Sources } from '../../shared/protocol'
import { count } from '../../shared/stats'
import { language } from '../../shared/text'
import { step } from './keys'
import { LINGER_MS, isDeliberate, useLinger } from './linger'
import { CALM_MS, DEEP_MS, DEEP_SPEAKING_MS, Playout, SHALLOW_MS } from './playout'
import { rungSentence } from './rung'
import { shownPictures } from './shown'
import { DEFAULT_SLOTS, isShown, midOf } from './slots'

const ALL: Sources = { microphone: true, camera: true, screen: true }
const rung = (change: Partial<Rung>): Rung => ({
  type: 'rung',
  camera: 720,
  screen: 1080,
  choice: 'auto',
  reason: 'ok',
  estimate_kbps: 0,
  ...change,
})

beforeEach(() => {
  language.value = 'zh'
})

describe('slots', () => {
  it('follow the fixed order until the server says otherwise', () => {
    expect(midOf(DEFAULT_SLOTS, 'screen')).toBe('3')
    expect(midOf([{ mid: '6', source: 'screen', codec: null }], 'screen')).toBe('6')
    expect(midOf([{ mid: '3', source: null, codec: null }], 'screen')).toBeNull()
  })

  it('show what is bound and sent', () => {
    expect(isShown(DEFAULT_SLOTS, null, 'camera')).toBe(true)
    expect(isShown(DEFAULT_SLOTS, { ...ALL, camera: false }, 'camera')).toBe(false)
    expect(isShown([], ALL, 'camera')).toBe(false)
  })
})

describe('the rung in words', () => {
  it.each([
    [null, '正在等待画面'],
    [rung({}), '课件 1080p · 老师 720p'],
    [rung({ camera: 0, reason: 'link_lossy' }), '课件 1080p · 老师已暂停 · 网络丢包较多\uff0c先保声音和课件'],
    [rung({ camera: 180, reason: 'link_slow', estimate_kbps: 183 }), '课件 1080p · 老师 180p · 本校下行约 180 kbit/s\uff0c先保声音和课件'],
    [rung({ camera: 0, screen: 0, reason: 'link_out' }), '只有声音 · 网络中断\uff0c正在等它恢复'],
    [rung({ screen: null, camera: 180, reason: 'choice' }), '老师 180p · 按你的选择'],
    [rung({ camera: 0, screen: 0, reason: 'link_slow' }), '只有声音 · 网络较慢\uff0c先保声音和课件'],
    [rung({ camera: null, screen: null, reason: 'no_source' }), '正在等待画面'],
  ])('of %j is %s', (what, words) => expect(rungSentence(what)).toBe(words))
})

describe('a picture', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  const setUp = (sources: Sources) => {
    const track = shallowRef<MediaStreamTrack | null>({} as MediaStreamTrack)
    const said = ref(sources)
    const scope = effectScope()
    const shown = scope.run(() => useLinger(track, () => isDeliberate(said.value, 'screen')))
    return { track, said, shown, scope }
  }

  it('that vanished by itself stays for a while', async () => {
    const { track, shown, scope } = setUp(ALL)
    track.value = null
    await nextTick()
    expect(shown?.value).toBe(true)
    vi.advanceTimersByTime(LINGER_MS)
    expect(shown?.value).toBe(false)
    scope.stop()
  })

  it('that came back in time was never gone', async () => {
    const { track, shown, scope } = setUp(ALL)
    track.value = null
    await nextTick()
    track.value = {} as MediaStreamTrack
    await nextTick()
    vi.advanceTimersByTime(LINGER_MS * 2)
    expect(shown?.value).toBe(true)
    scope.stop()
  })

  it('that the teacher put away goes at once', async () => {
    const { track, said, shown, scope } = setUp(ALL)
    said.value = { ...ALL, screen: false }
    track.value = null
    await nextTick()
    expect(shown?.value).toBe(false)
    scope.stop()
  })

  it('is not put away when the teacher is gone altogether', () => {
    expect(isDeliberate({ microphone: false, camera: false, screen: false }, 'screen')).toBe(false)
    expect(isDeliberate(null, 'screen')).toBe(false)
  })
})

it('walks through the buttons in both directions, round the ends', () => {
  expect([step(-1, 3, 1), step(2, 3, 1), step(0, 3, -1), step(1, 3, 1), step(-1, 0, 1)]).toEqual([0, 0, 2, 2, -1])
})

it.each([
  ['both', true, true, false, true, { camera: true, screen: true }],
  ['the slides alone', true, true, true, true, { camera: false, screen: true }],
  ['the teacher alone', true, true, true, false, { camera: true, screen: false }],
  ['the only one there is', true, false, true, true, { camera: true, screen: true }],
  ['nothing where nobody looks', false, true, false, true, { camera: false, screen: false }],
])('shows %s', (_, inSight, both, alone, screenLarge, shown) => {
  expect(shownPictures(inSight, both, alone, screenLarge)).toEqual(shown)
})

describe('the play-out buffer', () => {
  const at = (at_ms: number, packetsReceived: number, packetsLost: number, concealedSamples = 0) => {
    const sound = { type: 'inbound-rtp', kind: 'audio', packetsReceived, packetsLost, concealedSamples }
    return count([{ ...sound, totalSamplesReceived: at_ms * 48 }], '', at_ms)
  }

  it('becomes deep as soon as the line loses, and shallow only after a calm minute', () => {
    const playout = new Playout()
    expect(playout.look(at(0, 0, 0), at(1000, 50, 0))).toBe(SHALLOW_MS)
    expect(playout.look(at(1000, 50, 0), at(2000, 90, 10))).toBe(DEEP_MS)
    expect(playout.look(at(2000, 90, 10), at(1999 + CALM_MS, 3000, 10))).toBe(DEEP_MS)
    expect(playout.look(at(1999 + CALM_MS, 3000, 10), at(2000 + CALM_MS, 3050, 10))).toBe(SHALLOW_MS)
  })

  it('is less deep while the classroom speaks', () => {
    const playout = new Playout()
    expect(playout.look(at(1000, 50, 0), at(2000, 90, 10), true)).toBe(DEEP_SPEAKING_MS)
    expect(playout.look(at(2000, 90, 10), at(3000, 140, 10), false)).toBe(DEEP_MS)
  })

  it('becomes deep when sound had to be made up, and not for a few packets at the start', () => {
    expect(new Playout().look(at(1000, 50, 0, 1440), at(2000, 100, 0, 3440))).toBe(DEEP_MS)
    expect(new Playout().look(at(0, 0, 0), at(1000, 50, 0, 1440)), 'every connection begins so').toBe(SHALLOW_MS)
    expect(new Playout().look(at(0, 0, 0), at(100, 4, 3, 2000))).toBe(SHALLOW_MS)
  })
})
