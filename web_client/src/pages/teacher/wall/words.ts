/** A tile in words. */

import { wall } from '../../../locales/wall'
import type { Tile } from '../../../shared/protocol'
import { rungWord } from '../../../shared/rungs'
import { translator } from '../../../shared/text'

const t = translator(wall)
const bare = (text: string) => text.replace(/\s/g, '')

/** School and class where they say more than the name. */
export function titleOf({ name, school, class: year }: Pick<Tile, 'name' | 'school' | 'class'>): string {
  const place = [school, year].filter(Boolean).join(' ')
  return place && !bare(name).includes(bare(place)) ? place : name
}

/** How it gets the lesson, in one word. */
export const qualityOf = (tile: Tile): string => (tile.online ? rungWord(tile.reason) : t('away'))

const height = (value: number | null) => (value === null ? t('none') : value === 0 ? t('paused') : t('heightOf', { height: value }))

/** What it sees of the lesson. */
export const seenBy = ({ camera, screen }: Tile): string => t('lookingAt', { camera: height(camera), screen: height(screen) })
