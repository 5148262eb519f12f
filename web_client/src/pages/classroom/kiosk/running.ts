/** Runs a classroom by its day: asks the server, lets time pass, and carries out what `state.ts` decides. */

import { computed, onScopeDispose, reactive, shallowRef, watch, type Ref } from 'vue'
import { serverClock } from '../../../shared/clock'
import { CodedError } from '../../../shared/protocol'
import type { Attending } from '../attending'
import { Checking } from './checking'
import { Downloading } from './clips/downloading'
import { keep, lasting, recall, type Memory } from './memory'
import { missedSeconds, watchedNow } from './missed'
import { keepPage } from './offline'
import type { Rehearsing } from './rehearsing'
import { KioskServer } from './server'
import { checkDue, dueLesson, freshKiosk, scene, step, type Event, type Kiosk, type Replay } from './state'

const TICK_MS = 500
const POLL_MS = 20_000
const POLL_OFFLINE_MS = 2000
/** A thousand classrooms do not ask at the same moment. */
const JITTER = 0.1
const TRY_AGAIN_MS = 5000
const KEEP_EVERY_MS = 2000
/** Somebody sent this classroom away: the plan is not tried at once. */
const REMOVED_FOR_MS = 60_000

/** One classroom's page. */
export class Running {
  readonly kiosk = shallowRef<Kiosk>(freshKiosk())
  readonly scene = computed(() => scene(this.kiosk.value))
  readonly memory = reactive<Memory>(recall())
  /** Why the lesson that is due cannot be entered yet. */
  readonly fault = shallowRef<string | null>(null)
  /** Whether the time is the server's own. */
  readonly sure = shallowRef(false)
  /** This week's recordings. */
  readonly clips = new Downloading(this.memory.spent, () => this.save())
  /** Checks of the line before lessons. */
  readonly checks = new Checking((lesson) => this.happen({ type: 'checked', lesson }))
  private readonly server = new KioskServer()
  /** Whether a newer page is kept; absent before this computer is known to be a classroom's. */
  private newer: Ref<boolean> | undefined
  private entered: string | null = null
  private rehearsing: Promise<Rehearsing> | null = null
  private busy = false
  private retryAt_ms = 0
  private keptAt_ms = 0
  private pollTimer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly session: Attending) {
    watch(
      () => session.state.phase,
      (phase, before) => before === 'room' && phase !== 'room' && this.sessionEnded(),
    )
  }

  /** From now on the page goes by the plan. `unpaired` is called when this computer has none. */
  start(unpaired: () => void): void {
    serverClock.guess(this.memory.ahead_ms, Date.now(), performance.now())
    this.tick()
    if (this.memory.day) this.happen({ type: 'known', day: this.memory.day })
    const { left, rated, skipped } = this.memory
    this.kiosk.value = { ...this.kiosk.value, left, rated, skipped }
    const ticker = setInterval(() => this.tick(), TICK_MS)
    onScopeDispose(() => {
      clearInterval(ticker)
      clearTimeout(this.pollTimer)
    })
    watch(() => this.kiosk.value.paired, (paired) => paired === false && unpaired())
    void this.poll().then(() => this.resumeByHand())
  }

  /** Something happened: a key, an answer, a second. */
  readonly happen = (event: Event): void => {
    this.kiosk.value = step(this.kiosk.value, event)
    this.carryOut()
  }

  /** Asks for the day now, and again after a while, for ever. */
  readonly poll = async (): Promise<void> => {
    clearTimeout(this.pollTimer)
    try {
      const answer = await this.server.day()
      if (answer.is === 'unpaired') {
        this.memory.day = null
        this.happen({ type: 'unpaired' })
      } else {
        if (answer.server_ms) serverClock.hear(answer.server_ms, answer.asked_ms, answer.heard_ms)
        this.tick()
        const day = answer.is === 'day' ? answer.day : this.kiosk.value.day
        if (day) this.happen({ type: 'day', day })
        this.newer ??= keepPage()
        this.save()
      }
    } catch {
      this.happen({ type: 'offline' })
    }
    const wait = this.kiosk.value.online ? POLL_MS : POLL_OFFLINE_MS
    this.pollTimer = setTimeout(() => void this.poll(), wait * (1 + JITTER * (2 * Math.random() - 1)))
  }

  readonly pair = async (code: string): Promise<void> => {
    await this.server.pair(code)
    await this.poll()
  }

  /** A lesson of another plan, by its six digits; raises `CodedError`. */
  readonly joinByCode = async (code: string): Promise<void> => {
    await this.session.join(code, this.kiosk.value.day?.classroom.name ?? '')
    this.happen({ type: 'joined' })
  }

  readonly rate = (lesson: string, stars: number): void => {
    this.happen({ type: 'rated', lesson })
    this.save()
    this.server.rate(lesson, stars).catch(() => undefined)
  }

  /** The class goes out of the lesson by itself. */
  readonly leave = (): void => this.happen({ type: 'left' })

  /** Lessons of today of which something was missed and is there to be watched now. */
  readonly replays = computed((): Replay[] =>
    (this.kiosk.value.day?.lessons ?? []).flatMap((lesson): Replay[] => {
      const { id, missed, subject, end_ms } = lesson
      const seen = this.memory.watched[id]
      if (missed === null || this.memory.made_up.includes(id) || this.kiosk.value.now_ms < end_ms) return []
      const spans = seen?.missed ?? []
      return seen && spans.length === 0 ? [] : [{ recording: missed, title: subject, spans, lesson: id }]
    }),
  )

  readonly madeUp = (lesson: string): void => {
    this.memory.made_up.push(lesson)
    this.happen({ type: 'replay', replay: null })
    this.save()
  }

  /** Seconds of the present lesson that were missed. */
  readonly missed_s = computed(() => {
    const { attending } = this.kiosk.value
    return missedSeconds(attending ? (this.memory.watched[attending.id]?.missed ?? []) : [])
  })

  private tick(): void {
    const now_ms = serverClock.now(performance.now())
    this.sure.value = serverClock.sure
    if (now_ms !== null) this.happen({ type: 'tick', now_ms })
    this.watched(now_ms ?? 0)
    this.aside()
    this.rehearse()
  }

  /** In a rehearsal the page says what it gets. */
  private rehearse(): void {
    const rehearsal = this.kiosk.value.day?.asks.rehearsal
    if (!rehearsal || this.entered !== rehearsal.lesson) return void (this.rehearsing = null)
    this.rehearsing ??= import('./rehearsing').then((made) => new made.Rehearsing(this.session, this.server))
    void this.rehearsing.then((one) => one.look(rehearsal.id))
  }

  /** What is done while no lesson is on: checks, downloads, and a newer page. */
  private aside(): void {
    const { day, online, now_ms, byHand, attending } = this.kiosk.value
    const free = !byHand && !attending && day !== null
    const due = checkDue(this.kiosk.value)
    const enter_ms = day?.lessons.find(({ id }) => id === due)?.enter_ms ?? now_ms
    this.checks.look(due, enter_ms - now_ms)
    if (day) this.clips.look(day, free && online && this.sure.value, now_ms)
    if (free && this.newer?.value && this.scene.value.is === 'day') location.reload()
  }

  /** Goes in and out of the live view as the scene says. */
  private carryOut(): void {
    const now = this.scene.value
    const { session } = this
    if (now.is === 'lesson' && now.lesson) {
      const inside = session.state.phase === 'room' && this.entered === now.lesson.id
      if (inside && session.state.arrived && !this.kiosk.value.attending?.arrived) this.happen({ type: 'arrived' })
      if (!inside && !this.busy && performance.now() >= this.retryAt_ms) void this.enter(now.lesson.id)
    } else if (now.is !== 'lesson' && session.state.phase === 'room') {
      this.entered = null
      session.quit()
    }
  }

  private async enter(lesson: string): Promise<void> {
    this.busy = true
    this.retryAt_ms = performance.now() + TRY_AGAIN_MS
    try {
      const token = await this.server.token(lesson)
      if (this.kiosk.value.attending?.id !== lesson) return
      this.fault.value = null
      this.entered = lesson
      this.session.attend(token)
    } catch (error) {
      this.fault.value = error instanceof CodedError ? error.code : 'internal'
    } finally {
      this.busy = false
    }
  }

  /** The session went out of the room by itself. */
  private sessionEnded(): void {
    const code = this.session.state.ended
    if (code === null || code === 'left' || this.kiosk.value.paired !== true) return
    this.entered = null
    const over = code === 'closed' || code === 'lesson_closed'
    if (this.kiosk.value.byHand || over) this.happen({ type: 'closed' })
    else if (code === 'removed') this.happen({ type: 'closed', for_ms: REMOVED_FOR_MS })
    void this.poll()
  }

  /** Notes that the class sees the lesson now; what lies between two notes was missed. */
  private watched(now_ms: number): void {
    const lesson = dueLesson(this.kiosk.value)
    if (!lesson || lesson.mode === 'recorded' || this.entered !== lesson.id || !this.session.watching) return
    this.memory.watched[lesson.id] = watchedNow(this.memory.watched[lesson.id], lesson.begin_ms, now_ms)
    if (performance.now() - this.keptAt_ms > KEEP_EVERY_MS) this.save()
  }

  /** After a power cut in a lesson that was joined by its code. */
  private resumeByHand(): void {
    if (this.memory.byHand && this.kiosk.value.paired && this.scene.value.is === 'day' && this.session.resume()) {
      this.happen({ type: 'joined' })
    }
  }

  private save(): void {
    this.keptAt_ms = performance.now()
    const { day } = this.kiosk.value
    const known = new Set(day?.lessons.map(({ id }) => id))
    for (const id of Object.keys(this.memory.watched)) if (day && !known.has(id)) delete this.memory.watched[id]
    this.memory.made_up = this.memory.made_up.filter((id) => known.has(id))
    const now_ms = serverClock.now(performance.now())
    if (serverClock.sure && now_ms !== null) this.memory.ahead_ms = now_ms - Date.now()
    Object.assign(this.memory, lasting(this.kiosk.value))
    keep(this.memory)
  }
}
