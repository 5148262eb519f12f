/** What this classroom's devices are needed for: values in, values out. */

export interface Wish {
  stage: boolean
  hand: boolean
  /** Seconds between two stills, 0: none. */
  still_s: number
  width: number
  level: boolean
  /** The camera as live video. */
  camera: boolean
}

export interface Need {
  microphone: boolean
  camera: boolean
}

/**
 * Which devices to open. For the wall only what the browser allows without a question: somebody would have to answer it
 * in the middle of a lesson. For who wants to speak, or was called, the question is put.
 */
export function needed(wish: Wish, allowed: Need): Need {
  const speaks = wish.stage || wish.hand
  return {
    microphone: speaks || (wish.level && allowed.microphone),
    camera: wish.stage || ((wish.still_s > 0 || wish.camera) && allowed.camera),
  }
}

/** On a line that carries no moving picture a still goes while this classroom speaks. */
const SPEAKING_STILL_S = 4
const SPEAKING_WIDTH = 320

/** How often a still is made, in seconds, and how wide; 0: none. */
export function stillEvery(wish: Wish, encodings: number): { still_s: number; width: number } {
  const { still_s, width } = wish
  if (still_s > 0) return { still_s, width }
  return wish.stage && encodings === 0 ? { still_s: SPEAKING_STILL_S, width: SPEAKING_WIDTH } : { still_s: 0, width }
}
