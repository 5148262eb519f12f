// @vitest-environment node
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

const CLASSROOM_BUDGET_BYTES = 90_000
const PAGES = ['index', 'teacher', 'classroom', 'operator', 'library', 'watch', 'trust', 'check', 'sign-in']
/** Names inside documents and standards, which no browser ever asks for. */
const NAMES = /https?:\/\/(www\.w3\.org|vuejs\.org)\//g

let out = ''
const read = (path: string) => readFileSync(join(out, path))

/** What a page loads by itself: its scripts and styles, and what those import. */
function loaded(page: string): string[] {
  const seen = new Set<string>()
  const visit = (path: string) => {
    if (seen.has(path)) return
    seen.add(path)
    const text = read(path).toString()
    const found = [...text.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css|svg))"|from\s?"\.\/([^"]+\.js)"|import\s?"\.\/([^"]+\.js)"/g)]
    for (const [, absolute, imported, bare] of found) visit(absolute ?? `assets/${imported ?? bare ?? ''}`)
  }
  visit(`${page}.html`)
  return [...seen]
}

beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), 'zhuandi-web-'))
  // Under a test runner Vue would be its development build.
  vi.stubEnv('NODE_ENV', 'production')
  await build({ logLevel: 'silent', build: { outDir: out, emptyOutDir: true } })
  vi.unstubAllEnvs()
}, 120_000)
afterAll(() => rmSync(out, { recursive: true, force: true }))

it('a classroom starts with at most 90 kB', () => {
  const files = loaded('classroom')
  const bytes = files.reduce((sum, file) => sum + gzipSync(read(file)).length, 0)
  expect(files.some((file) => file.endsWith('.js'))).toBe(true)
  expect(files.some((file) => file.endsWith('.css'))).toBe(true)
  expect(bytes).toBeLessThan(CLASSROOM_BUDGET_BYTES)
})

it('keeps all that a classroom starts with for a start without a network, as one script of its own', () => {
  const worker = read('worker.js').toString()
  const start = loaded('classroom').filter((file) => file !== 'classroom.html')
  expect(start.filter((file) => !worker.includes(`/${file}`))).toEqual([])
  const named = [...worker.matchAll(/[`"'](\/assets\/[^`"']+)[`"']/g)].map(([, path = '']) => path.slice(1))
  expect(named.length).toBeGreaterThan(start.length - 1)
  for (const file of named) expect(read(file).length).toBeGreaterThan(0)
  expect(worker).not.toMatch(/\b(import|export)\b/)
})

it('has all pages', () => {
  for (const page of PAGES) expect(loaded(page).length).toBeGreaterThan(2)
})

it('asks no stranger for anything', () => {
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(html|js|css|svg)$/.test(file))
  for (const file of files) {
    const addresses = read(file).toString().replace(NAMES, '').match(/(https?:)?\/\/[a-z0-9-]+\.[a-z]{2,}/gi) ?? []
    expect([file, addresses]).toEqual([file, []])
  }
})

it('uses the fonts of the system only', () => {
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' })
  expect(files.filter((file) => /\.(woff2?|ttf|otf)$/.test(file))).toEqual([])
})
