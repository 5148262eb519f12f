/** A line tried through the real media server, with this browser's own WebRTC: UDP, TCP, down and up. */

import { pause, within, type Desk, type Heard } from './desk'
import type { Found } from './facts'
import { noise } from './noise'

const CONNECT_MS = 8000
const MEASURE_MS = 8000
const MOST_UP_BPS = 1_500_000
const WAYS = ['udp', 'tcp'] as const
type Protocol = (typeof WAYS)[number]
export type MediaStage = 'media' | 'down' | 'up'

interface Connection {
  way: Protocol
  leg: number
  pc: RTCPeerConnection
  sender: RTCRtpSender
}

/** Facts of the line; a broken one never rejects, a refused check does. */
export async function tryMedia(desk: Desk, stage: (now: MediaStage) => void): Promise<Found> {
  stage('media')
  const found: Found = {}
  const tried = await Promise.all(WAYS.map((way) => connect(desk, way, found)))
  const [udp, tcp] = tried
  const best = udp ?? tcp
  Object.assign(found, { udp: udp ? 'ok' : 'blocked', tcp: tcp ? 'ok' : 'blocked' })
  try {
    if (!best) return found
    if (best === udp) tcp?.pc.close()
    stage('down')
    Object.assign(found, await down(desk, best))
    stage('up')
    Object.assign(found, await up(desk, best))
    if (best.pc.connectionState !== 'connected') found.media = 'interrupted'
    return found
  } finally {
    for (const one of tried) one?.pc.close()
  }
}

/** An association by one way alone: candidates of the other are left out of the answer. */
async function connect(desk: Desk, way: Protocol, found: Found): Promise<Connection | null> {
  const pc = new RTCPeerConnection()
  for (const kind of ['audio', 'video'] as const) pc.addTransceiver(kind, { direction: 'recvonly' })
  const sending = { direction: 'sendonly', sendEncodings: [{ maxBitrate: MOST_UP_BPS }] } as const
  const { sender } = pc.addTransceiver('video', { ...sending, sendEncodings: [...sending.sendEncodings] })
  await pc.setLocalDescription(await pc.createOffer())
  const { leg, sdp } = await desk.offer(pc.localDescription?.sdp ?? '')
  const only = onlyBy(way, sdp)
  if (only.port !== null) found.media_port = only.port
  const connected = new Promise<boolean>((resolve) => {
    pc.addEventListener('connectionstatechange', () => {
      if (pc.connectionState === 'connected' || pc.connectionState === 'failed') resolve(pc.connectionState === 'connected')
    })
  })
  await pc.setRemoteDescription({ type: 'answer', sdp: only.sdp })
  if (only.port !== null && (await within(CONNECT_MS, connected).catch(() => false))) return { way, leg, pc, sender }
  pc.close()
  return null
}

/** The answer with the candidates of one way, and the port that they name. */
export function onlyBy(way: Protocol, sdp: string): { sdp: string; port: number | null } {
  let port: number | null = null
  const lines = sdp.split('\r\n').filter((line) => {
    const candidate = /^a=candidate:\S+ \d+ (udp|tcp) \d+ \S+ (\d+) /i.exec(line)
    if (!candidate) return true
    const wanted = candidate[1]?.toLowerCase() === way
    if (wanted) port = Number(candidate[2])
    return wanted
  })
  return { sdp: lines.join('\r\n'), port }
}

/** The stream for some seconds: what came in the last half of them, and what the server believes of the line. */
async function down(desk: Desk, { pc, leg }: Connection): Promise<Found> {
  await desk.carry(leg)
  await pause(MEASURE_MS / 2)
  const before = await received(pc)
  await pause(MEASURE_MS / 2)
  const after = await received(pc)
  const told = (await desk.heard()).legs[leg]
  await desk.carry(null)
  const [bytes, packets] = [after.bytes - before.bytes, after.packets - before.packets]
  const kbps = (bytes * 8) / (after.at_ms - before.at_ms)
  const lost = Math.max(0, after.lost - before.lost)
  const rtt = after.rtt_ms ?? told?.rtt_ms ?? null
  return {
    down_kbps: Math.round(Math.max(kbps, bytes ? (told?.estimate_kbps ?? 0) : 0)),
    down_loss: share(lost, packets + lost),
    height: told?.height ?? 0,
    ...(rtt === null ? {} : { rtt_ms: Math.round(rtt) }),
  }
}

/** Noise the other way, as fast as the browser dares; the server counts what arrives. */
async function up(desk: Desk, { pc, leg, sender }: Connection): Promise<Found> {
  const source = noise()
  if (!source) return {}
  try {
    await sender.replaceTrack(source.track)
    await pause(MEASURE_MS / 2)
    const before = await desk.heard()
    await pause(MEASURE_MS / 2)
    const after = await desk.heard()
    return risen(before, after, leg, await believed(pc))
  } finally {
    source.stop()
  }
}

/** What arrived at the server between two looks; `believed_kbps` is this browser's own estimate. */
export function risen(before: Heard, after: Heard, leg: number, believed_kbps: number): Found {
  const [then, now] = [before.legs[leg], after.legs[leg]]
  if (!then || !now) return {}
  const kbps = ((now.up_bytes - then.up_bytes) * 8) / Math.max(1, after.now_ms - before.now_ms)
  const up_loss = share(Math.max(0, now.up_lost - then.up_lost), now.up_packets - then.up_packets)
  return { up_kbps: Math.round(kbps > 0 ? Math.max(kbps, believed_kbps) : 0), up_loss }
}

const share = (part: number, whole: number) => (part > 0 ? Math.round(Math.min(1, part / Math.max(1, whole)) * 1e4) / 1e4 : 0)

interface Received {
  at_ms: number
  bytes: number
  packets: number
  lost: number
  rtt_ms: number | null
}

async function received(pc: RTCPeerConnection): Promise<Received> {
  const sum: Received = { at_ms: performance.now(), bytes: 0, packets: 0, lost: 0, rtt_ms: null }
  ;(await pc.getStats()).forEach((row: Record<string, unknown>) => {
    const number = (name: string) => (typeof row[name] === 'number' ? row[name] : 0)
    if (row.type === 'inbound-rtp') {
      sum.bytes += number('bytesReceived') + number('headerBytesReceived')
      sum.packets += number('packetsReceived')
      sum.lost += number('packetsLost')
    } else if (row.type === 'candidate-pair' && row.nominated && number('currentRoundTripTime') > 0) {
      sum.rtt_ms = number('currentRoundTripTime') * 1000
    }
  })
  return sum
}

async function believed(pc: RTCPeerConnection): Promise<number> {
  let kbps = 0
  ;(await pc.getStats()).forEach((row: Record<string, unknown>) => {
    const told = row.availableOutgoingBitrate
    if (row.type === 'candidate-pair' && typeof told === 'number') kbps = Math.max(kbps, Math.round(told / 1000))
  })
  return Math.min(kbps, MOST_UP_BPS / 1000)
}
