/** Whom a lesson's code admits. */

import { catalogue } from '../shared/text'

export const opening = catalogue(
  {
    openToAll: '没有登记的教室也能凭课堂码进入',
    openHint: '不勾选时，只有配对过的教室和登录的人能用课堂码进来。还没有登记教室时默认勾选。',
    registeredOnly: '仅限登记的教室',
  },
  {
    openToAll: 'Anybody with the code may come in',
    openHint:
      'Otherwise the code admits paired classrooms and people who sign in. It is ticked as long as no classroom is registered.',
    registeredOnly: 'registered classrooms only',
  },
)
