import { expect, it } from 'vitest'
import { pickLanguage, translator, language, catalogue, type Catalogue } from '../shared/text'
import { checks } from './checks'
import { classroom } from './classroom'
import { common, faultKey, faults } from './common'
import { home, trust } from './home'
import { kiosk } from './kiosk'
import { links } from './links'
import { library, player } from './library'
import { onstage } from './onstage'
import { opening } from './opening'
import { operator } from './operator'
import { people, signIn } from './people'
import { rungs } from './rungs'
import { teacher } from './teacher'
import { dataWords, teacherDay, timetable } from './timetable'
import { wall } from './wall'

const ALL: Record<string, Catalogue<string>> = {
  checks,
  classroom,
  common,
  faults,
  home,
  kiosk,
  trust,
  library,
  links,
  player,
  onstage,
  opening,
  operator,
  people,
  signIn,
  rungs,
  teacher,
  dataWords,
  teacherDay,
  timetable,
  wall,
}
const holes = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join()
/** The codes of PROTOCOL.md section 3. */
const CODES = [
  ...['bad_message', 'bad_sdp', 'unknown_codec', 'bad_token', 'expired_token', 'forbidden', 'already_publishing'],
  ...['lesson_closed', 'no_such_lesson', 'disk_full', 'full', 'busy', 'internal'],
  ...['bad_table', 'not_paired', 'not_open', 'bad_login', 'locked', 'must_change', 'locked_lesson'],
  ...['replaced', 'closed', 'expired', 'removed'],
]

it.each(Object.entries(ALL))('%s says the same things in both languages', (_, words) => {
  expect(Object.keys(words.en).sort()).toEqual(Object.keys(words.zh).sort())
  for (const key of Object.keys(words.zh)) expect([key, holes(words.en[key] ?? '')]).toEqual([key, holes(words.zh[key] ?? '')])
})

it.each(Object.entries(ALL))('%s is Chinese in Chinese and has no Chinese in English', (area, words) => {
  for (const [key, text] of Object.entries(words.en)) {
    if (area === 'common' && key === 'switchLanguage') continue
    expect([key, /[\u4e00-\u9fff]/.test(text)]).toEqual([key, false])
    expect([key, text === '' && words.zh[key] !== '']).toEqual([key, false])
  }
})

it('has a sentence with a remedy for every code of the protocol', () => {
  for (const code of CODES) expect([code, code in faults.zh]).toEqual([code, true])
  expect(faultKey('disk_full')).toBe('disk_full')
  expect(faultKey('toString')).toBe('internal')
  expect(faultKey('made_up')).toBe('internal')
})

it.each([
  [null, ['zh-CN', 'en'], 'zh'],
  [null, ['en-GB', 'zh'], 'en'],
  [null, ['de', 'en'], 'en'],
  [null, ['bo-CN'], 'zh'],
  [null, [], 'zh'],
  ['en', ['zh-CN'], 'en'],
  ['nonsense', ['zh'], 'zh'],
])('a choice of %j and a browser of %j is %s', (chosen, preferred, expected) => {
  expect(pickLanguage(chosen, preferred)).toBe(expected)
})

it('fills the holes of a sentence in the language of the page', () => {
  const t = translator(catalogue({ lost: '断开 {seconds} 秒' }, { lost: 'lost for {seconds} s' }))
  language.value = 'zh'
  expect(t('lost', { seconds: 12 })).toBe('断开 12 秒')
  language.value = 'en'
  expect(t('lost', { seconds: 0 })).toBe('lost for 0 s')
  expect(t('lost', { other: 1 })).toBe('lost for {seconds} s')
})
