/** Names of emulated links, which development servers have. */

import { catalogue } from '../shared/text'

export const links = catalogue(
  {
    own: '本页的模拟线路',
    weak: '弱网教室的模拟线路',
    weakOf: '弱网教室的模拟线路（端口 {link}）',
    clean: '不限',
    'village-4g': '乡村 4G',
    'village-adsl': '乡村宽带 ADSL',
    'county-uplink': '县级共享出口',
    satellite: '卫星',
    '2g-64k': '2G，64 kbit/s',
    '64k-loss10': '64 kbit/s，丢包 10%',
  },
  {
    own: 'Emulated link of this page',
    weak: 'Emulated link of the weak classroom',
    weakOf: 'Emulated link of the weak classroom (port {link})',
    clean: 'No limit',
    'village-4g': 'Village 4G',
    'village-adsl': 'Village ADSL',
    'county-uplink': 'Shared county uplink',
    satellite: 'Satellite',
    '2g-64k': '2G, 64 kbit/s',
    '64k-loss10': '64 kbit/s, 10 % loss',
  },
)

/** The name of a profile in words; a new one reads as the server spells it. */
export function profileKey(profile: string): keyof (typeof links)['zh'] | null {
  return Object.keys(links.zh).includes(profile) ? (profile as keyof (typeof links)['zh']) : null
}
