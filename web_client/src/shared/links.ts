/** The emulated links of a development server, as this page may see and change them (PROTOCOL.md 3.1). */

import { computed, shallowRef } from 'vue'
import type { Links, LinkRow } from './protocol'

type Send = (message: { type: 'link'; link: number; profile: string }) => void

const heard = shallowRef<{ links: Links; send: Send } | null>(null)

/** The server told what its links are; `send` leads back to it. */
export function heardLinks(links: Links, send: Send): void {
  heard.value = { links, send }
}

/** The page's own link, or all of them on the page of somebody in charge; none in production. */
export const shownLinks = computed<readonly LinkRow[]>(() => {
  if (!heard.value) return []
  const { links, own } = heard.value.links
  return own === null ? links : links.filter((row) => row.link === own)
})

/** Whether the page itself came by the link that is shown. */
export const isOwnLink = computed(() => (heard.value?.links.own ?? null) !== null)

/** The names to choose from. */
export const profiles = computed<readonly string[]>(() => heard.value?.links.profiles ?? [])

/** Makes a link another one; the answer is a new list. */
export function chooseLink(link: number, profile: string): void {
  heard.value?.send({ type: 'link', link, profile })
}
