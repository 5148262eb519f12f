/** A classroom's own voice, camera and stills, while they are wanted. */

import { reactive } from 'vue'
import { running, type Wanted } from '../../../shared/layers'
import { meter } from '../../../shared/meter'
import { UplinkReader } from '../../../shared/onstage/line'
import { OWN_LAYERS, type OwnLines } from '../../../shared/ownlines'
import type { ClientMessage, MicrophoneState } from '../../../shared/protocol'
import { StillSender } from '../../../shared/stills/send'
import { OwnDevices } from './devices'
import { OwnEconomy } from './economy'
import { Stills } from './still'
import { needed, stillEvery, type Wish } from './wish'

const LOOK_EVERY_MS = 1000
const LEVEL_EVERY_MS = 500
/** Stills leave room for whatever else a school does with its line, and for the voice on a thin one. */
const STILLS_BPS = 64_000
const STILLS_THIN_BPS = 12_000
/** The first words go before the first picture. */
const PICTURE_AFTER_MS = 400
const SILENT = 127
const NOTHING: Wish = { stage: false, hand: false, still_s: 0, width: 0, level: false, camera: false }

export interface OwnView {
  microphone: MicrophoneState | null
  muted: boolean
  camera: MediaStreamTrack | null
  /** Codes of what is missing. */
  faults: string[]
  /** Our camera goes out as moving picture, as stills or not at all. */
  shows: 'video' | 'stills' | 'nothing'
}

export interface PartOptions {
  send(message: ClientMessage): boolean
  lines(): OwnLines
  pc(): RTCPeerConnection | null
  thin(): boolean
}

/** Loaded when something of it is needed. */
export class OwnPart {
  readonly view = reactive<OwnView>({ microphone: null, muted: false, camera: null, faults: [], shows: 'nothing' })
  private wish = NOTHING
  private readonly devices = new OwnDevices((device) => this.changed(device))
  private readonly sender = new StillSender()
  private readonly stills = new Stills((picture) => this.sender.put(picture))
  private economy: OwnEconomy | null = null
  private reader = new UplinkReader()
  private seen: RTCPeerConnection | null = null
  private encodings = 0
  private watched = OWN_LAYERS
  private unmeter = () => {}
  private level = SILENT
  private told = ''
  private readonly timers: ReturnType<typeof setInterval>[]
  private picture: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: PartOptions) {
    this.sender.limit(STILLS_BPS)
    this.timers = [setInterval(() => void this.look(), LOOK_EVERY_MS), setInterval(() => this.tellLevel(), LEVEL_EVERY_MS)]
    void this.devices.look().then(() => this.changed('microphone'))
  }

  readonly attach = (channel: RTCDataChannel): void => this.sender.attach(channel)

  /** What is wanted from now on. */
  want(wish: Wish): void {
    this.wish = wish
    const moves = wish.stage || wish.camera
    if (moves && !this.economy) {
      this.economy = new OwnEconomy(this.options.thin())
      this.encodings = this.economy.look({ bps: null, short: false, blind: true }, performance.now())
    }
    if (!moves) this.economy = null
    this.reach()
    // At first nothing is known of permissions; what they allow follows when it is.
    if (wish.still_s > 0 || wish.level || wish.camera) void this.devices.look().then(() => this.reach())
  }

  /** What the server wants of our camera. */
  obey(wanted: Wanted | null): void {
    this.watched = wanted ? running(wanted, false) : OWN_LAYERS
    this.send()
  }

  readonly mute = (): void => this.devices.mute()

  /** Says anew how the microphone is. */
  tell(): void {
    this.told = ''
    this.tellState()
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer)
    clearTimeout(this.picture)
    this.unmeter()
    this.stills.stop()
    this.wish = NOTHING
    this.send()
    this.devices.stop()
  }

  private reach(): void {
    this.devices.want(needed(this.wish, this.devices.allowed))
    this.send()
  }

  private changed(device: 'microphone' | 'camera'): void {
    const { tracks, faults, state } = this.devices
    const speaks = this.wish.stage || this.wish.hand
    Object.assign(this.view, { microphone: this.devices.microphone, muted: state.muted, camera: tracks.camera })
    this.view.faults = speaks ? Object.values(faults) : []
    if (device === 'camera') this.stills.show(tracks.camera)
    else {
      this.unmeter()
      this.level = SILENT
      this.unmeter = tracks.microphone ? meter(tracks.microphone, (level) => (this.level = decibels(level))) : () => {}
    }
    this.tellState()
    this.send()
  }

  /** Puts on the lines what is to go out. */
  private send(): void {
    const { stage } = this.wish
    const { microphone, camera } = this.devices.tracks
    const lines = this.options.lines()
    void lines.put('microphone', stage ? microphone : null)
    lines.allow(Math.min(this.encodings, this.watched))
    const moving = (stage || this.wish.camera) && this.encodings > 0 ? camera : null
    clearTimeout(this.picture)
    if (moving) this.picture = setTimeout(() => void lines.put('camera', moving), PICTURE_AFTER_MS)
    else void lines.put('camera', null)
    const every = stillEvery(this.wish, this.encodings)
    this.stills.pace(every)
    this.sender.limit(stage && this.encodings < OWN_LAYERS ? STILLS_THIN_BPS : STILLS_BPS)
    this.view.shows = moving ? 'video' : camera && every.still_s > 0 ? 'stills' : 'nothing'
    this.view.faults = stage || this.wish.hand ? Object.values(this.devices.faults) : []
  }

  private async look(): Promise<void> {
    const pc = this.options.pc()
    if (pc !== this.seen) this.reader = new UplinkReader()
    this.seen = pc
    if (!this.economy || !pc) return
    const line = this.reader.read((await pc.getStats()).values())
    const encodings = this.economy?.look({ bps: line.bps, short: line.limited || line.queued, blind: this.encodings === 0 }, performance.now())
    if (encodings === undefined || encodings === this.encodings) return
    this.encodings = encodings
    this.send()
  }

  private tellState(): void {
    const { microphone } = this.devices
    if (microphone === null || this.told === microphone) return
    if (this.options.send({ type: 'voice', level: SILENT, microphone })) this.told = microphone
  }

  private lastLevel = SILENT

  private tellLevel(): void {
    const { microphone } = this.devices
    if (!this.wish.level || microphone !== 'on' || (this.level === SILENT && this.lastLevel === SILENT)) return
    this.lastLevel = this.level
    this.options.send({ type: 'voice', level: this.level, microphone })
  }
}

/** The meter's scale begins 60 dB below full scale and ends 6 dB below (RFC 6464 counts down). */
function decibels(level: number): number {
  return level <= 0 ? SILENT : Math.round(60 - 54 * level)
}
