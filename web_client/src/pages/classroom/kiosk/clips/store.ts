/** Recordings in the browser's store, downloaded in pieces. */

import { CLIPS, fileOf, pieceCount, pieceKey, pieceRange, recordingOf } from '../../../../worker/pieces'

interface Listed {
  tracks: { file: string; bytes: number }[]
}

/** Whether this browser can keep anything: only on a trusted address. */
export const canKeep = () => 'caches' in window && 'serviceWorker' in navigator

/** The recordings that are here whole. */
export async function storedClips(): Promise<Set<string>> {
  const store = await caches.open(CLIPS)
  const paths = (await store.keys()).map(({ url }) => recordingOf(new URL(url).pathname))
  return new Set(paths.filter((recording) => recording !== null))
}

/** Removes what is not wanted any more, begun downloads too. */
export async function forgetAllBut(wanted: ReadonlySet<string>): Promise<void> {
  const store = await caches.open(CLIPS)
  for (const request of await store.keys()) {
    const path = new URL(request.url).pathname
    const recording = recordingOf(path) ?? fileOf(path)?.recording
    if (recording === undefined || !wanted.has(recording)) await store.delete(request)
  }
}

/** Downloads what is missing of a recording; `cost` hears of each piece. Its list of files is written last, which makes it whole. */
export async function download(recording: string, signal: AbortSignal, cost: (bytes: number) => void): Promise<void> {
  const store = await caches.open(CLIPS)
  const path = `/api/library/${recording}`
  const list = await get(path, signal)
  const { tracks } = (await list.clone().json()) as Listed
  for (const { file, bytes } of tracks) {
    for (let index = 0; index < pieceCount(bytes); index++) {
      const key = pieceKey(`/media/${recording}/${file}`, index)
      if (await store.match(key)) continue
      const { first, last } = pieceRange(index, bytes)
      const piece = await get(`/media/${recording}/${file}`, signal, { Range: `bytes=${first}-${last}` })
      const body = await piece.arrayBuffer()
      if (body.byteLength !== last - first + 1) throw new TypeError('a piece has another size than its list says')
      await store.put(key, new Response(body))
      cost(body.byteLength)
    }
  }
  await store.put(path, list)
}

async function get(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(path, { headers, signal, credentials: 'same-origin', cache: 'no-store' })
  if (!response.ok) throw new TypeError(`${path}: ${response.status}`)
  return response
}
