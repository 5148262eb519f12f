/** An assistant who teaches while the teacher's line is dead: its tab remembers that the lesson is to be given back. */

const KEY = 'zd.standing_in'

/** Goes on as the output end. */
export function standIn(token: string): void {
  sessionStorage.setItem(KEY, '1')
  location.assign(`/teacher#token=${token}`)
}

export const standsIn = (): boolean => sessionStorage.getItem(KEY) !== null

/** Back to the seat in the lesson, whose own token this browser still has. */
export function sitDown(): void {
  sessionStorage.removeItem(KEY)
  sessionStorage.removeItem('zd.token')
  location.assign('/classroom')
}
