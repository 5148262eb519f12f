/** Where a tile stands and which key calls it: sorted by need, but nothing moves under a hand that is about to press. */

/** Keys 1 to 9. */
export const KEYS = 9

/** The order to show: pinned first, then as the server sorts; while `held`, who is there stays where he is and who is new comes last. */
export function arranged(before: readonly number[], here: readonly number[], pinned: readonly number[], held: boolean): number[] {
  if (held) {
    const stay = before.filter((id) => here.includes(id))
    return [...stay, ...here.filter((id) => !stay.includes(id))]
  }
  const first = pinned.filter((id) => here.includes(id))
  return [...first, ...here.filter((id) => !first.includes(id))]
}

/** Which tile each key calls: a number stays with its tile for as long as that one is among the first nine. */
export function numbered(before: ReadonlyMap<number, number>, order: readonly number[]): Map<number, number> {
  const first = order.slice(0, KEYS)
  const keys = new Map<number, number>()
  for (const [key, id] of before) if (first.includes(id)) keys.set(key, id)
  const known = new Set(keys.values())
  let key = 1
  for (const id of first) {
    if (known.has(id)) continue
    while (keys.has(key)) key++
    keys.set(key, id)
  }
  return keys
}
