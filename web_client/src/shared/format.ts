/** Numbers as people read them. */

import type { Language } from './text'

const two = (value: number) => String(value).padStart(2, '0')

/** 75 -> 01:15, 3675 -> 1:01:15. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const hours = Math.floor(whole / 3600)
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}

/** Six digits as 123 456. */
export function spacedCode(code: string): string {
  return code.length === 6 ? `${code.slice(0, 3)} ${code.slice(3)}` : code
}

/** The digits of whatever was typed or pasted, at most six. */
export function digitsOf(text: string): string {
  const ascii = text.replace(/[\uFF10-\uFF19]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
  return ascii.replace(/\D/g, '').slice(0, 6)
}

/** Eight characters as ABCD-2345. */
export function spacedPairing(code: string): string {
  return code.length > 4 ? `${code.slice(0, 4)}-${code.slice(4)}` : code
}

/** The characters of a pairing code in whatever was typed: Crockford's base 32, where O is read as 0 and I and L as 1. */
export function pairingOf(text: string): string {
  const plain = text.normalize('NFKC').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
  return plain.replace(/[^0-9A-HJKMNP-TV-Z]/g, '').slice(0, 8)
}

/** Megabits with two digits that matter. */
export function megabits(bitsPerSecond: number | null): string {
  if (bitsPerSecond === null) return '–'
  const value = bitsPerSecond / 1e6
  return value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2)
}

/** Megabytes, for a recording that grows. */
export function megabytes(bytes: number): string {
  const value = bytes / 1e6
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

/** A share as a percentage. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`
}

/** Date and time of day in the page's language. */
export function dateTime(ms: number, language: Language): string {
  const tag = language === 'zh' ? 'zh-CN' : 'en-GB'
  return new Intl.DateTimeFormat(tag, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(ms)
}

/** What is known of these, in one line. */
export function dotted(...parts: string[]): string {
  return parts.filter(Boolean).join(' · ')
}
