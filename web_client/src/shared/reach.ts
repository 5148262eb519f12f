/** The address that people elsewhere must open. */

/** Names of this computer that mean another one everywhere else. */
const HERE = /^(localhost|127\.[\d.]+|\[::1\])$/

/** Where this page's server is for others: its own word where the page was opened by a name that only holds here. */
export function reachable(told: string | null | undefined, at: Pick<Location, 'hostname' | 'origin'> = location): string {
  return told && HERE.test(at.hostname) ? told : at.origin
}
