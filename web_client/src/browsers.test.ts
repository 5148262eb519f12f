// @vitest-environment node
/** Schools with Windows 7 stop at Chrome 109, old boards at 87: what we ship is of their time, or looks before it leaps. */

import { parse } from 'acorn'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

/** The last edition whose whole syntax Chrome 87 reads. */
const EDITION = 2021

/** Methods and objects that came after Chrome 109, by names that nothing else has. */
const NEWER_CALLS = [
  ...['toSorted', 'toReversed', 'toSpliced', 'fromAsync', 'groupBy', 'withResolvers', 'isWellFormed', 'toWellFormed'],
  ...['symmetricDifference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom', 'canParse', 'startViewTransition'],
  ...['showPopover', 'hidePopover', 'togglePopover', 'setHTMLUnsafe', 'getHTML', 'requestClose', 'moveBefore', 'getSetCookie'],
  ...['caretPositionFromPoint', 'toBase64', 'fromBase64', 'jitterBufferTarget'],
]
const NEWER_OBJECTS = ['CloseWatcher', 'documentPictureInPicture', 'DurationFormat', 'RTCRtpScriptTransform', 'PressureObserver']
/** Those of them that we use where a look says that they are there. */
const LOOKS: Record<string, RegExp> = { jitterBufferTarget: /["'`]jitterBufferTarget["'`]\s*in\s/ }
/** Vue's arrays hand these on to the browser's own, for whoever calls them; nobody here does. */
const HANDED_ON = /\b(toSorted|toReversed|toSpliced)\([^)]*\)\s*\{\s*return \w+\(this\)\.\1\([^)]*\)/g
const NEWER_STYLES = [
  ...[/color-mix\(/, /\b(?:ok)?(?:lab|lch)\(/, /light-dark\(/, /@starting-style/, /@scope\b/, /\bsubgrid\b/, /[{;}]\s*&/],
  ...[/:popover-open/, /field-sizing/, /anchor-name/, /\blinear\(/, /(?<!-webkit-)mask(?:-image)?:/, /:user-(?:in)?valid/],
]

let out = ''
let files: { name: string; text: string }[] = []
const of = (ending: RegExp) => files.filter(({ name }) => ending.test(name))

beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), 'zhuandi-browsers-'))
  vi.stubEnv('NODE_ENV', 'production')
  await build({ logLevel: 'silent', build: { outDir: out, emptyOutDir: true } })
  vi.unstubAllEnvs()
  const names = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(js|css|html)$/.test(name))
  files = names.map((name) => ({ name, text: readFileSync(join(out, name), 'utf8') }))
}, 120_000)
afterAll(() => rmSync(out, { recursive: true, force: true }))

describe('what old browsers get', () => {
  it('is syntax that they can read', () => {
    expect(of(/\.js$/).length).toBeGreaterThan(5)
    for (const { name, text } of of(/\.js$/)) {
      const read = () => parse(text, { ecmaVersion: EDITION, sourceType: 'module' })
      expect(read, name).not.toThrow()
    }
    expect(() => parse('class A { static { } }', { ecmaVersion: EDITION })).toThrow()
  })

  it('calls nothing newer without a look', () => {
    for (const { name, text: whole } of of(/\.js$/)) {
      const text = whole.replace(HANDED_ON, '')
      for (const call of NEWER_CALLS.filter((one) => new RegExp(`\\.${one}\\b`).test(text))) {
        expect([name, call, LOOKS[call]?.test(text) ?? false]).toEqual([name, call, true])
      }
      for (const object of NEWER_OBJECTS) {
        expect([name, object, new RegExp(`\\b${object}\\b\\s*[.(]`).test(text)]).toEqual([name, object, false])
      }
    }
  })

  it('has no style that they would drop', () => {
    expect(of(/\.css$/).length).toBeGreaterThan(3)
    for (const { name, text } of of(/\.css$/)) {
      for (const style of NEWER_STYLES) expect([name, String(style), text.match(style)?.[0] ?? null]).toEqual([name, String(style), null])
    }
  })

  it('names no server for connections but our own', () => {
    for (const { name, text } of of(/\.js$/)) expect([name, /["'`](?:stuns?|turns?):/.test(text)]).toEqual([name, false])
  })
})
