import { expect, it } from 'vitest'
import { reachable } from './reach'

it.each([
  ['https://localhost:8443', 'https://192.0.2.7:8443', 'https://192.0.2.7:8443'],
  ['https://127.0.0.1:8443', 'https://192.0.2.7:8443', 'https://192.0.2.7:8443'],
  ['https://[::1]:8443', 'https://192.0.2.7:8443', 'https://192.0.2.7:8443'],
  ['https://lessons.example.cn', 'https://192.0.2.7:8443', 'https://lessons.example.cn'],
  ['https://localhost:8443', null, 'https://localhost:8443'],
])('a page at %s whose server is at %s tells others to open %s', (here, told, expected) => {
  expect(reachable(told, new URL(here))).toBe(expected)
})
