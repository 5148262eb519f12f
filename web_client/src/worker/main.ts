/**
 * Keeps the classroom's page and its recordings, so that a power cut costs no download and a missing network no timetable.
 *
 * It answers for the page's own files, for `/classroom` itself, and for recordings that were downloaded whole; all else goes to the network.
 */

import { stored } from './clips'
import { fileOf, recordingOf } from './pieces'

/** Of a service worker's events, what is used here; the DOM's types do not know them. */
interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Asked extends Event {
  request: Request
  respondWith(answer: Promise<Response>): void
}
interface Worker {
  addEventListener(type: 'install' | 'activate', act: (event: Lasting) => void): void
  addEventListener(type: 'fetch', act: (event: Asked) => void): void
  skipWaiting(): Promise<void>
  clients: { claim(): Promise<void> }
}

/** Put in by the build: everything that the page may load, and a name for just these. */
declare const PAGE_FILES: readonly string[]
declare const PAGE_VERSION: string

const PAGE = '/classroom'
const PREFIX = 'zd-page-'
const STORE = PREFIX + PAGE_VERSION
const worker = self as unknown as Worker
const files = new Set(PAGE_FILES)

async function install(): Promise<void> {
  const store = await caches.open(STORE)
  // What the page has loaded already comes out of the browser's own cache: names carry a hash.
  await store.addAll([PAGE, ...PAGE_FILES])
  await worker.skipWaiting()
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== STORE)
  await Promise.all(old.map((name) => caches.delete(name)))
  await worker.clients.claim()
}

async function kept(path: string, request: Request): Promise<Response> {
  const store = await caches.open(STORE)
  return (await store.match(path)) ?? fetch(request)
}

function answer(request: Request): Promise<Response> | null {
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin) return null
  if (request.mode === 'navigate') return /^\/classroom\/?$/.test(url.pathname) ? kept(PAGE, request) : null
  if (files.has(url.pathname)) return kept(url.pathname, request)
  return recordingOf(url.pathname) || fileOf(url.pathname) ? stored(url.pathname, request) : null
}

worker.addEventListener('install', (event) => event.waitUntil(install()))
worker.addEventListener('activate', (event) => event.waitUntil(activate()))
worker.addEventListener('fetch', (event) => {
  const ours = answer(event.request)
  if (ours) event.respondWith(ours)
})
