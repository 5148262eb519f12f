import { beforeEach, describe, expect, it } from 'vitest'
import { teacher } from '../../locales/teacher'
import { told } from './faults'
import { forget, recall, remember } from './memory'
import { BEGINS_WITHIN_MS, RecordingWatch, STALLED_AFTER_MS } from './recording'

describe('the recording light', () => {
  const bytes = (count: number) => ({ on: true, bytes: count, error: null })

  it('is on only while bytes grow', () => {
    const watch = new RecordingWatch()
    expect(watch.state(0)).toBe('off')
    watch.hear(bytes(0), 0)
    watch.hear(bytes(100), 1000)
    expect(watch.state(1000)).toBe('growing')
    watch.hear(bytes(100), 1000 + STALLED_AFTER_MS)
    expect(watch.state(1000 + STALLED_AFTER_MS)).toBe('stalled')
    watch.hear(bytes(200), 20_000)
    expect(watch.state(20_000)).toBe('growing')
  })

  it('claims nothing before a recording had time to begin', () => {
    const watch = new RecordingWatch()
    watch.begin(0)
    expect(watch.state(1)).toBe('starting')
    expect(watch.state(BEGINS_WITHIN_MS)).toBe('off')
    watch.hear(bytes(0), 5000)
    expect(watch.state(5000)).toBe('starting')
    expect(watch.state(5000 + BEGINS_WITHIN_MS)).toBe('stalled')
  })

  it('tells a refusal at once', () => {
    const watch = new RecordingWatch()
    watch.begin(0)
    watch.hear({ on: false, bytes: 0, error: 'disk_full' }, 100)
    expect(watch.state(100)).toBe('off')
  })

  it('goes out with the recording', () => {
    const watch = new RecordingWatch()
    watch.hear(bytes(100), 0)
    watch.hear({ on: false, bytes: 100, error: 'disk_full' }, 100)
    expect(watch.state(100)).toBe('off')
  })

  it('grows again in a new recording that begins at nothing', () => {
    const watch = new RecordingWatch()
    watch.hear(bytes(9000), 0)
    watch.hear({ on: false, bytes: 0, error: null }, 100)
    watch.hear(bytes(10), 10_000)
    expect(watch.state(10_001)).toBe('growing')
  })
})

describe('what a reload remembers', () => {
  const teaching = { lesson: 'a', since_ms: 5, camera: true, muted: false, screen: true }
  beforeEach(() => sessionStorage.clear())

  it('is the lesson of this tab and no other', () => {
    remember(teaching)
    expect(recall('a')).toEqual(teaching)
    expect(recall('b')).toBeNull()
    forget()
    expect(recall('a')).toBeNull()
  })

  it('is nothing when the storage is broken', () => {
    sessionStorage.setItem('zd.teaching', '{')
    expect(recall('a')).toBeNull()
  })
})

describe('faults', () => {
  it('of one cause are one sentence', () => {
    expect(told({ camera: 'camera_denied', microphone: 'microphone_denied' })).toEqual(['both_denied'])
    expect(told({ camera: 'insecure', microphone: 'insecure' })).toEqual(['insecure'])
    expect(told({ camera: 'camera_absent', screen: 'screen_cancelled' })).toEqual(['camera_absent', 'screen_cancelled'])
    expect(told({})).toEqual([])
  })

  it('all have their sentence', () => {
    for (const source of ['camera', 'microphone'])
      for (const fault of ['denied', 'absent', 'busy', 'unplugged'])
        expect(Object.keys(teacher.zh)).toContain(`${source}_${fault}`)
    for (const fault of ['cancelled', 'denied', 'absent', 'busy', 'unsupported', 'ended'])
      expect(Object.keys(teacher.zh)).toContain(`screen_${fault}`)
  })
})
