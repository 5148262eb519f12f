/** One check of the line from beginning to end: the page /check and the kiosk before a lesson call it. */

import { CodedError } from '../protocol'
import { Busy, Desk, pause, type Asker } from './desk'
import type { Facts, Level } from './facts'
import { tryMedia, type MediaStage } from './media'
import { reach } from './reach'
import { tryRoom } from './room'
import { judge } from './rules'

export type Stage = 'reach' | 'waiting' | MediaStage | 'room' | 'report'

export interface CheckOptions extends Asker {
  purpose?: Facts['purpose']
  /** The lesson before whose bell this is, for the operator's list. */
  lesson?: string
  /** Look at camera, microphone and loudspeaker, too. */
  devices?: boolean
  /** How long to wait in line while too many others check, in seconds. */
  patience_s?: number
  stage?: (now: Stage) => void
}

export interface CheckResult {
  facts: Facts
  rule: string
  level: Level
  /** Six characters to read out over the phone; null where the server could not keep the finding. */
  code: string | null
}

/** Finds what can be found in about 20 s; never rejects. `verdictOf(facts, language)` puts it in words. */
export async function runCheck(options: CheckOptions = {}): Promise<CheckResult> {
  const stage = options.stage ?? (() => undefined)
  const desk = new Desk(options)
  const facts: Facts = { tool: 'page', purpose: options.purpose ?? 'receive' }
  stage('reach')
  Object.assign(facts, await reach())
  if (facts.socket === 'ok') await tryLine(desk, facts, options, stage)
  if (options.devices) {
    stage('room')
    Object.assign(facts, await tryRoom())
  }
  const { id, level } = judge(facts)
  stage('report')
  const code = facts.http === 'ok' && facts.entry !== 'refused' ? await desk.report(facts, options.lesson).catch(() => null) : null
  return { facts, rule: id, level, code }
}

async function tryLine(desk: Desk, facts: Facts, options: CheckOptions, stage: (now: Stage) => void): Promise<void> {
  if (typeof RTCPeerConnection === 'undefined') {
    facts.media = 'unsupported'
    return
  }
  try {
    facts.entry = await admitted(desk, options.patience_s ?? 0, stage)
    if (facts.entry === 'ok') Object.assign(facts, await tryMedia(desk, stage))
  } catch {
    facts.media = 'interrupted'
  } finally {
    await desk.end().catch(() => undefined)
  }
}

/** A place in the line of those who check. */
async function admitted(desk: Desk, patience_s: number, stage: (now: Stage) => void): Promise<Facts['entry'] & string> {
  const until = performance.now() + patience_s * 1000
  for (;;) {
    try {
      await desk.begin()
      return 'ok'
    } catch (error) {
      if (!(error instanceof Busy)) {
        if (error instanceof CodedError && error.code === 'offline') throw error
        return 'refused'
      }
      if (performance.now() + error.retry_s * 1000 > until) return 'busy'
      stage('waiting')
      await pause(error.retry_s * 1000)
    }
  }
}
