import { afterEach, expect, it, vi } from 'vitest'
import { meter } from './meter'

/** As a browser's, which throws when it is closed twice. */
class Context {
  state = 'running'
  createAnalyser = () => ({ fftSize: 0, getFloatTimeDomainData: () => undefined })
  createMediaStreamSource = () => ({ connect: () => undefined })
  close() {
    if (this.state === 'closed') throw new DOMException('Cannot close a closed AudioContext.', 'InvalidStateError')
    this.state = 'closed'
    return Promise.resolve()
  }
}

afterEach(() => vi.unstubAllGlobals())

it('may be stopped twice', () => {
  vi.stubGlobal('window', { AudioContext: Context })
  vi.stubGlobal('MediaStream', class {})
  const stop = meter({ enabled: true } as MediaStreamTrack, () => undefined)
  stop()
  expect(stop).not.toThrow()
})
