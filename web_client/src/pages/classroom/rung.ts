/** What this classroom gets now, in words. */

import { classroom } from '../../locales/classroom'
import type { Rung } from '../../shared/protocol'
import { roundRate } from '../../shared/rungs'
import { translator } from '../../shared/text'

const t = translator(classroom)

function part(what: 'screen' | 'camera', height: number | null): string | null {
  if (height === null) return null
  return height > 0 ? t('rungPicture', { what: t(what), height }) : t('rungPaused', { what: t(what) })
}

/** Why it is not more; empty where nothing is missing. */
export function causeSentence(rung: Rung): string {
  const slow = rung.reason === 'link_slow' && rung.estimate_kbps > 0
  return slow ? t('because_slow_by', { rate: roundRate(rung.estimate_kbps) }) : t(`because_${rung.reason}`)
}

/** One short sentence: pictures first, then why it is not more. */
export function rungSentence(rung: Rung | null): string {
  if (!rung) return t('rungNone')
  const pictures = [part('screen', rung.screen), part('camera', rung.camera)].filter((text) => text !== null)
  const nothing = !(rung.screen || rung.camera)
  const what = nothing && rung.reason !== 'no_source' ? t('rungSound') : pictures.join(' · ')
  return [what || t('rungNone'), causeSentence(rung)].filter(Boolean).join(' · ')
}
