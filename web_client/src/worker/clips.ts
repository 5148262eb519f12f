/** Answers for downloaded recordings, as the server would: whole files and ranges, read piece by piece. */

import { CLIPS, PIECE_BYTES, fileOf, pieceKey, rangeOf, type Range } from './pieces'

interface StoredFile {
  file: string
  bytes: number
  mime: string
}

/** The list of files stands only once all of them are there. */
async function listOf(store: Cache, recording: string): Promise<StoredFile[] | null> {
  const found = await store.match(`/api/library/${recording}`)
  return found ? ((await found.json()) as { tracks: StoredFile[] }).tracks : null
}

/** A list of files or a file, from the store where it is whole, else from the network. */
export async function stored(path: string, request: Request): Promise<Response> {
  const store = await caches.open(CLIPS)
  const wanted = fileOf(path)
  if (!wanted) return (await store.match(path)) ?? fetch(request)
  const track = (await listOf(store, wanted.recording))?.find(({ file }) => file === wanted.file)
  if (!track) return fetch(request)
  const header = request.headers.get('Range')
  const range = rangeOf(header, track.bytes)
  if (!range) return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${track.bytes}` } })
  const headers: Record<string, string> = {
    'Content-Type': track.mime,
    'Content-Length': String(range.last - range.first + 1),
    'Accept-Ranges': 'bytes',
  }
  if (header !== null) headers['Content-Range'] = `bytes ${range.first}-${range.last}/${track.bytes}`
  return new Response(reading(store, path, range), { status: header === null ? 200 : 206, headers })
}

/** A piece at a time, when the player asks for more. */
function reading(store: Cache, path: string, { first, last }: Range): ReadableStream<Uint8Array> {
  let at = first
  return new ReadableStream({
    async pull(controller) {
      const index = Math.floor(at / PIECE_BYTES)
      const piece = await store.match(pieceKey(path, index))
      // Somebody cleared the store: the player sees a broken line and asks anew.
      if (!piece) return controller.error(new TypeError('a piece is gone'))
      const bytes = new Uint8Array(await piece.arrayBuffer())
      const from = at - index * PIECE_BYTES
      const part = bytes.subarray(from, Math.min(bytes.length, last + 1 - index * PIECE_BYTES))
      controller.enqueue(part)
      at += part.length
      if (at > last || part.length === 0) controller.close()
    },
  })
}
