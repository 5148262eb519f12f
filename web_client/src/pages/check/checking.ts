/** The page's check: which step runs, what came out, and the code that admits a computer without an account. */

import { reactive } from 'vue'
import { inspect } from '../../shared/debug'
import { runCheck, type CheckResult, type Stage } from '../../shared/check/run'
import { TokenStore } from '../../shared/token'

export const STAGES = ['reach', 'media', 'down', 'up', 'room', 'report'] as const
const PATIENCE_S = 120

function initialState(code: string) {
  return {
    running: false,
    stage: 'reach' as Stage,
    code,
    devices: false,
    result: null as CheckResult | null,
  }
}

/** `/check#code=123456` carries the code of the day, `?purpose=teach` judges for teaching. */
export class Checking {
  readonly state = reactive(initialState(/[#&]code=(\d{6})/.exec(location.hash)?.[1] ?? ''))
  private readonly store = new TokenStore(true)

  constructor() {
    this.store.adopt()
    inspect(
      () => null,
      () => ({ ...this.state }),
    )
  }

  readonly start = async (): Promise<void> => {
    if (this.state.running) return
    Object.assign(this.state, { running: true, stage: 'reach', result: null })
    this.state.result = await runCheck({
      token: this.state.code ? null : this.store.get(),
      code: this.state.code,
      purpose: new URLSearchParams(location.search).get('purpose') === 'teach' ? 'teach' : 'receive',
      devices: this.state.devices,
      patience_s: PATIENCE_S,
      stage: (now) => (this.state.stage = now),
    })
    this.state.running = false
  }
}
