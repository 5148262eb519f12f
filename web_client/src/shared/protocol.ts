/** The messages of the WebSocket, word for word as PROTOCOL.md section 3 names them. */

import type { Wishes } from './layers'

export type Source = 'microphone' | 'camera' | 'screen'
export type Role = 'teacher' | 'assistant' | 'classroom' | 'reviewer' | 'patrol' | 'operator'
/** Which page speaks on the socket. */
export type PageName = 'teacher' | 'classroom' | 'operator'
export type LessonState = 'waiting' | 'live' | 'closed'
export type QualityChoice = 'auto' | 'high' | 'medium' | 'low'
export type RungReason = 'ok' | 'link_slow' | 'link_lossy' | 'link_out' | 'data_cap' | 'server_full' | 'choice' | 'no_source'
export type ByeReason = 'replaced' | 'closed' | 'expired' | 'removed'

export type Sources = Record<Source, boolean>

export interface LessonBrief {
  id: string
  title: string
  code: string
  state: LessonState
}

export interface Welcome {
  type: 'welcome'
  session: string
  resumed: boolean
  role: Role
  name: string
  lesson: LessonBrief | null
  /** Where other machines reach the server's pages. */
  address: string
}

export interface Answer {
  type: 'answer'
  id: number
  sdp: string
}

export interface Recording {
  on: boolean
  bytes: number
  error: string | null
}

export interface LessonUpdate {
  type: 'lesson'
  state: LessonState
  title: string
  code: string
  receivers: number
  sources: Sources
  recording: Recording
}

/** What a slot of this page can carry beside the lesson itself. */
export type PlaceName = 'stage0' | 'stage1' | 'pinned0' | 'pinned1'

export interface Slot {
  mid: string
  source: Source | PlaceName | null
  codec: string | null
}

export interface Slots {
  type: 'slots'
  slots: Slot[]
}

/** What this classroom gets: heights in pixels, 0 paused, null not there. */
export interface Rung {
  type: 'rung'
  camera: number | null
  screen: number | null
  choice: QualityChoice
  reason: RungReason
  /** What our link is believed to carry, 0: unknown. */
  estimate_kbps: number
}

export interface Layers extends Wishes {
  type: 'layers'
}

/** One classroom that does not get all, as its teacher sees it. */
export interface ClassroomRow extends Pick<Rung, 'camera' | 'screen' | 'reason' | 'estimate_kbps'> {
  name: string
}

export interface Classrooms {
  type: 'classrooms'
  counts: Partial<Record<RungReason, number>>
  rows: ClassroomRow[]
}

export type MicrophoneState = 'on' | 'muted' | 'none' | 'denied'

/** One classroom on the teacher's wall. */
export interface Tile extends ClassroomRow {
  /** The participant's number in the lesson. */
  id: number
  sub: string
  school: string
  class: string
  online: boolean
  /** Place in the queue of hands, from 1. */
  hand: number | null
  stage: 0 | 1 | null
  microphone: MicrophoneState | null
}

export interface Tiles {
  type: 'tiles'
  /** Those that changed; `order` has all, by need. */
  rows: Tile[]
  order: number[]
  hush: boolean
  locked: boolean
}

/** Who speaks beside the teacher; `own`: this page. */
export interface Speaker {
  id: number
  name: string
  own: boolean
}
export type Places = readonly [Speaker | null, Speaker | null]

/** What the output ends want of this classroom's own camera and microphone while nobody calls it. */
export interface OwnWanted {
  type: 'wanted'
  /** A still every so many seconds, 0: none. */
  still_s: number
  width: number
  level: boolean
  /** Whether its camera is wanted as live video. */
  camera: boolean
}

export interface Questions {
  type: 'questions'
  unanswered: number
  newest_ms: number
}

export interface TableRow {
  id: string
  name: string
  role: Role
  state: string
  lesson?: string
  /** What arrives at this end, and what leaves it. */
  recv_bps: number | null
  send_bps: number | null
  loss: number | null
  /** `l`, `m`, `h`, several of them, or `paused`. */
  layer: string | null
  rtt_ms: number | null
  last_keyframe_s: number | null
  reason: RungReason | null
  estimate_kbps: number | null
}

/** Why we did not come in, or came in with less: one sentence in both languages, and when to come again. */
export interface Verdict {
  kind: 'rung' | 'wait' | 'recording'
  seconds: number | null
  zh: string
  en: string
}

export interface ServerError {
  type: 'error'
  id: number | null
  code: string
  detail?: string
  verdict?: Verdict | null
}

/** An emulated link of a development server, by its port. */
export interface LinkRow {
  link: number
  profile: string
}

export interface Links {
  type: 'links'
  links: LinkRow[]
  own: number | null
  profiles: string[]
}

export type ServerMessage =
  | Welcome
  | Answer
  | LessonUpdate
  | Slots
  | Rung
  | Layers
  | Classrooms
  | Tiles
  | { type: 'levels'; rows: [id: number, level: number][] }
  | { type: 'stage'; places: Places; taken_over: string | null }
  | OwnWanted
  | { type: 'hand'; place: number | null; hush: boolean }
  | { type: 'taken_over'; token: string }
  | Questions
  | { type: 'rejoin'; reason: string }
  | { type: 'bye'; reason: ByeReason }
  | { type: 'table'; rows: TableRow[] }
  | ServerError
  | Links
  | { type: 'pong'; t: number; server_ms: number }

export interface Report {
  audio_concealed_ratio: number | null
  freeze_ratio: number | null
  height: number | null
  fps: number | null
  rtt_ms: number | null
  /** How deep this page's play-out buffer is. */
  jitter_target_ms: number
}

export type ClientMessage =
  | { type: 'sources'; microphone: boolean; camera: boolean; screen: boolean }
  | { type: 'quality'; choice: QualityChoice }
  | { type: 'shown'; camera: boolean; screen: boolean }
  | ({ type: 'report' } & Report)
  | { type: 'end_lesson' }
  | { type: 'link'; link: number; profile: string }
  | { type: 'hand'; up: boolean }
  | { type: 'ask'; text: string }
  | { type: 'voice'; level: number; microphone: MicrophoneState }
  | { type: 'wall'; visible: readonly number[]; pinned: readonly number[] }
  | { type: 'stage'; id: number; on: boolean }
  | { type: 'hush'; on: boolean }
  | { type: 'lock'; on: boolean }
  | { type: 'look_as'; id: number | null }
  | { type: 'answer'; question: number; text: string }
  | { type: 'take_over' }
  | { type: 'give_back' }

/** The version that `hello` announces. */
export const PROTOCOL_VERSION = 1

/** A fault as a code of PROTOCOL.md; the page turns it into a sentence. */
export class CodedError extends Error {
  readonly code: string

  constructor(
    code: string,
    detail = '',
    /** The whole answer, where it says more than a code. */
    readonly answer: unknown = null,
  ) {
    super(detail || code)
    this.code = code
  }
}
