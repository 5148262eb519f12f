/** The smallest legible file of a picture. */

import { hex, MAX_BYTES, type StillFormat } from '../../../shared/stills/messages'
import type { Picture } from '../../../shared/stills/send'

const MAX_WIDTH = 1280
const MAX_HEIGHT = 720
/** Lossless is worth this much more: small print stays as it is. */
const LOSSLESS_WORTH = 1.2

/** The size at which a picture is sent: no larger than 1280 x 720, its sides in proportion. */
export function fit(width: number, height: number): [number, number] {
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height)
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
}

/** Chooses among encoded files: the smallest, with a bonus for lossless ones. */
export function choose<T extends { size: number }>(lossless: T[], lossy: T[]): T | null {
  const least = (files: T[]) => files.filter(({ size }) => size > 0 && size <= MAX_BYTES).sort((a, b) => a.size - b.size)[0]
  const [sharp, soft] = [least(lossless), least(lossy)]
  if (sharp && (!soft || sharp.size <= soft.size * LOSSLESS_WORTH)) return sharp
  return soft ?? null
}

/** Encodes what the canvas shows; null where this browser makes no file that is small enough. */
export async function encode(canvas: OffscreenCanvas): Promise<Picture | null> {
  const make = (type: StillFormat, quality?: number) =>
    canvas.convertToBlob({ type, ...(quality === undefined ? {} : { quality }) })
  // Quality 1 is lossless in Chromium; a browser that cannot write WebP answers with PNG.
  const [webp, png, soft] = await Promise.all([make('image/webp', 1), make('image/png'), make('image/webp', 0.5)])
  const chosen = choose([webp, png], [soft])
  if (!chosen || (chosen.type !== 'image/webp' && chosen.type !== 'image/png')) return null
  const file = new Uint8Array(await chosen.arrayBuffer())
  const hash = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', file)))
  return { source: 'screen', format: chosen.type, width: canvas.width, height: canvas.height, hash, file }
}
