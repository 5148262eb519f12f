import { beforeEach, expect, it, vi } from 'vitest'
import { captureCode, listDevices, openDevice, openScreen, watchDevices } from './devices'

const fault = (name: string) => new DOMException('x', name)
const track = { kind: 'video' }
const stream = { getTracks: () => [track], getVideoTracks: () => [track] }

const media = Object.assign(new EventTarget(), {
  getUserMedia: vi.fn(),
  getDisplayMedia: vi.fn(),
  enumerateDevices: vi.fn(),
})

function provide(value: unknown): void {
  Object.defineProperty(navigator, 'mediaDevices', { value, configurable: true })
}

beforeEach(() => {
  vi.resetAllMocks()
  provide(media)
})

it.each([
  ['camera', 'NotAllowedError', 'camera_denied'],
  ['camera', 'NotFoundError', 'camera_absent'],
  ['microphone', 'NotReadableError', 'microphone_busy'],
  ['microphone', 'OverconstrainedError', 'microphone_absent'],
  ['screen', 'NotAllowedError', 'screen_cancelled'],
  ['camera', 'SomethingElse', 'camera_busy'],
] as const)('%s and %s is %s', (source, name, code) => {
  expect(captureCode(source, fault(name))).toBe(code)
})

it('opens the chosen device', async () => {
  media.getUserMedia.mockResolvedValue(stream)
  expect(await openDevice('camera', 'one')).toBe(track)
  expect(media.getUserMedia.mock.calls[0]?.[0]).toMatchObject({ video: { deviceId: { exact: 'one' } } })
})

it('takes any other device when the remembered one is gone', async () => {
  media.getUserMedia.mockRejectedValueOnce(fault('OverconstrainedError')).mockResolvedValue(stream)
  expect(await openDevice('microphone', 'gone')).toBe(track)
  expect(media.getUserMedia.mock.calls[1]?.[0].audio.deviceId).toBeUndefined()
})

it('asks once only when a permission is refused', async () => {
  media.getUserMedia.mockRejectedValue(fault('NotAllowedError'))
  await expect(openDevice('camera', 'one')).rejects.toMatchObject({ code: 'camera_denied' })
  expect(media.getUserMedia).toHaveBeenCalledOnce()
})

it('says insecure where the browser hides devices', async () => {
  provide(undefined)
  await expect(openDevice('camera', null)).rejects.toMatchObject({ code: 'insecure' })
  await expect(openScreen()).rejects.toMatchObject({ code: 'insecure' })
  expect(() => watchDevices(() => undefined)()).not.toThrow()
})

it('says when a share was cancelled, and when there is none', async () => {
  media.getDisplayMedia.mockRejectedValue(fault('NotAllowedError'))
  await expect(openScreen()).rejects.toMatchObject({ code: 'screen_cancelled' })
  provide({ ...media, getDisplayMedia: undefined })
  await expect(openScreen()).rejects.toMatchObject({ code: 'screen_unsupported' })
})

it('lists cameras and microphones, not speakers nor the nameless', async () => {
  media.enumerateDevices.mockResolvedValue([
    { kind: 'videoinput', deviceId: 'c', label: 'Cam' },
    { kind: 'audioinput', deviceId: 'm', label: 'Mic' },
    { kind: 'audiooutput', deviceId: 's', label: 'Box' },
    { kind: 'videoinput', deviceId: '', label: '' },
  ])
  expect(await listDevices()).toEqual({ cameras: [{ id: 'c', label: 'Cam' }], microphones: [{ id: 'm', label: 'Mic' }] })
})

it('tells of plugs until stopped', () => {
  const heard = vi.fn()
  const stop = watchDevices(heard)
  media.dispatchEvent(new Event('devicechange'))
  stop()
  media.dispatchEvent(new Event('devicechange'))
  expect(heard).toHaveBeenCalledOnce()
})
