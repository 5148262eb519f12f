/** What keeps a classroom from more, said to its teacher and to operators: one word and its cause. */

import { catalogue } from '../shared/text'

export const rungs = catalogue(
  {
    title: '各教室收看',
    ok: '完整',
    link_slow: '网络慢',
    link_lossy: '丢包多',
    link_out: '已中断',
    data_cap: '流量将尽',
    choice: '自选画质',
    no_source: '无画面',
    count: '{word} {count} 个',
    slow_by: '下行约 {rate} kbit/s，先保声音和课件',
    slow: '先保声音和课件',
    lossy: '丢包较多，先保声音和课件',
    out: '正在等网络恢复',
    month: '本月流量快用完，先保声音和课件',
    chosen: '按教室的选择',
    others: '还有 {count} 个',
  },
  {
    title: 'How the classrooms get it',
    ok: 'full',
    link_slow: 'slow',
    link_lossy: 'lossy',
    link_out: 'cut off',
    data_cap: 'low on data',
    choice: 'own choice',
    no_source: 'no picture',
    count: '{count} {word}',
    slow_by: 'receives about {rate} kbit/s, sound and slides come first',
    slow: 'sound and slides come first',
    lossy: 'many packets are lost, sound and slides come first',
    out: 'waiting for its network',
    month: 'the month’s data runs out, sound and slides come first',
    chosen: 'as the classroom chose',
    others: '{count} more',
  },
)
