import vue from '@vitejs/plugin-vue'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { kioskWorker } from './vite.worker.ts'

/** One HTML file a page: a classroom never downloads the operator's console. */
const PAGES = ['index', 'teacher', 'classroom', 'operator', 'library', 'watch', 'trust', 'check', 'sign-in']

/** Windows 7 PCs in schools stop at Chrome 109; older kiosk images at 87. */
const BROWSERS = ['chrome87', 'edge88', 'firefox78', 'safari14']

/** Modules that several pages use: one file beside the page's own, or a weak line pays a round trip for each. */
const COMMON = /\/(node_modules\/(?!uqr)|src\/(shared\/(?!check|onstage)|ui\/|styles\/))|\/src\/locales\/common|plugin-vue/

const page = (name: string) => fileURLToPath(new URL(`./${name}.html`, import.meta.url))

/** Writes a `.br` and a `.gz` beside every text, which the server sends to whoever takes it. */
function compressed(): Plugin {
  let out = ''
  return {
    name: 'compressed',
    apply: 'build',
    configResolved: (config) => void (out = config.build.outDir),
    closeBundle() {
      for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(html|js|css|svg)$/.test(name)) continue
        const path = join(out, name)
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)))
      }
    },
  }
}

export default defineConfig({
  plugins: [vue(), kioskWorker(BROWSERS), compressed()],
  appType: 'mpa',
  // The rules of the checks are shared with the server.
  server: { fs: { allow: ['..'] } },
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    target: BROWSERS,
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: Object.fromEntries(PAGES.map((name) => [name, page(name)])),
      output: { manualChunks: (id) => (COMMON.test(id) ? 'common' : undefined) },
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'], testTimeout: 60_000 },
})
