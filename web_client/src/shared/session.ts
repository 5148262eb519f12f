/** Persons who sign in: the cookie holds the session, this browser only remembers that there is one. */

import { Api } from './api'
import { CodedError, type Role } from './protocol'
import { TokenStore } from './token'

const KEY = 'zd.person'

export interface SignedIn {
  token: string
  person: { id: string; name: string; role: Role; school: string }
}

const api = new Api(() => null)
/** Whether somebody signed in here; asking the server costs a round trip that most pages do not need. */
export const remembered = (): boolean => localStorage.getItem(KEY) !== null

/** Keeps what a sign-in gave: the token for this tab, the memory for the others. */
export function keep(signedIn: SignedIn): SignedIn {
  const store = new TokenStore()
  // An assistant sits down in a classroom by a lesson's code: the cookie says who it is, and the seat has its own token.
  if (signedIn.person.role === 'assistant') store.clear()
  else store.set(signedIn.token)
  localStorage.setItem(KEY, '1')
  return signedIn
}

/** A token by the session's cookie, or null. */
export async function comeBack(): Promise<SignedIn | null> {
  try {
    return keep(await api.ask<SignedIn>('POST', '/api/sign_in/again'))
  } catch (error) {
    // Without an answer the session may well live.
    if (error instanceof CodedError && error.code === 'bad_login') localStorage.removeItem(KEY)
    return null
  }
}

/** Ends the session here and on the server. */
export async function leave(): Promise<void> {
  localStorage.removeItem(KEY)
  new TokenStore().clear()
  await api.ask('POST', '/api/sign_out')
}
