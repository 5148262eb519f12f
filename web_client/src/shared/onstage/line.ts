/** What the browser's counters say about the uplink. */

export interface UplinkState {
  bps: number | null
  /** Pictures are held back by the line. */
  limited: boolean
  /** More than a fifth of a second of what was sent waits in the line. */
  queued: boolean
  /** Height of the best camera picture that went out since the last look, 0 for none. */
  cameraHeight: number
  /** Whether the screen moved out since the last look. */
  screenMoved: boolean
  /** Whether any picture is to be sent. */
  pictures: boolean
}

interface Stat {
  type: string
  kind?: string
  mid?: string
  id?: string
  active?: boolean
  qualityLimitationReason?: string
  frameHeight?: number
  framesSent?: number
  nominated?: boolean
  state?: string
  availableOutgoingBitrate?: number
  currentRoundTripTime?: number
}

const QUEUED_S = 0.2
/** PROTOCOL.md section 1. */
const SCREEN_MID = '3'

/** Follows one connection, look by look. */
export class UplinkReader {
  private frames = new Map<string, number>()
  private bps: number | null = null
  private shortest_s = Infinity

  read(stats: Iterable<unknown>): UplinkState {
    const now: UplinkState = {
      bps: null,
      limited: false,
      queued: false,
      cameraHeight: 0,
      screenMoved: false,
      pictures: false,
    }
    const frames = new Map<string, number>()
    for (const stat of stats as Iterable<Stat>) {
      if (stat.type === 'outbound-rtp' && stat.kind === 'video' && stat.active !== false) this.picture(stat, now, frames)
      else if (stat.type === 'candidate-pair' && stat.nominated && stat.state === 'succeeded') this.line(stat, now)
    }
    this.frames = frames
    // The browser leaves its estimate out of some looks.
    now.bps = this.bps
    return now
  }

  private picture(stat: Stat, now: UplinkState, frames: Map<string, number>): void {
    const sent = stat.framesSent ?? 0
    const moved = sent > (this.frames.get(stat.id ?? '') ?? 0)
    frames.set(stat.id ?? '', sent)
    now.limited ||= stat.qualityLimitationReason === 'bandwidth'
    now.pictures ||= sent > 0
    if (!moved) return
    if (stat.mid === SCREEN_MID) now.screenMoved = true
    else now.cameraHeight = Math.max(now.cameraHeight, stat.frameHeight ?? 0)
  }

  private line({ availableOutgoingBitrate, currentRoundTripTime: trip_s }: Stat, now: UplinkState): void {
    if (availableOutgoingBitrate) this.bps = availableOutgoingBitrate
    if (trip_s === undefined) return
    this.shortest_s = Math.min(this.shortest_s, trip_s)
    now.queued ||= trip_s > this.shortest_s + QUEUED_S
  }
}
