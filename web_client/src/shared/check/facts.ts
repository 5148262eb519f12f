/** What a check of the line finds, as PROTOCOL.md 4.4 names it; what is missing was not tried. */

export type Way = 'ok' | 'blocked'
export type Device = 'ok' | 'none' | 'denied' | 'unheard'

export interface Facts {
  tool: 'page' | 'doctor'
  purpose: 'receive' | 'teach'
  reach?: 'ok' | 'no_network' | 'no_name' | 'refused' | 'silent'
  tls?: 'ok' | 'plain' | 'untrusted' | 'expired' | 'too_early' | 'wrong_name' | 'no_tls'
  http?: 'ok' | 'stranger' | 'fault'
  socket?: Way
  entry?: 'ok' | 'refused' | 'busy'
  media?: 'ok' | 'unsupported' | 'interrupted'
  udp?: Way
  tcp?: Way
  media_port?: number
  rtt_ms?: number
  down_kbps?: number
  down_loss?: number
  /** Of the picture that arrived at the end; 0: none. */
  height?: number
  up_kbps?: number
  up_loss?: number
  camera?: Device
  microphone?: Device
  speaker?: Device
}

export type Found = Partial<Facts>
export type Level = 'well' | 'limited' | 'not_now' | 'unfinished'
