import vue from '@vitejs/plugin-vue'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** One HTML file a page: a classroom never downloads the operator's console. */
const PAGES = ['index', 'teacher', 'classroom', 'operator', 'library', 'watch', 'trust']

/** Windows 7 PCs in schools stop at Chrome 109; older kiosk images at 87. */
const BROWSERS = ['chrome87', 'edge88', 'firefox78', 'safari14']

const page = (name: string) => fileURLToPath(new URL(`./${name}.html`, import.meta.url))

export default defineConfig({
  plugins: [vue()],
  appType: 'mpa',
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    target: BROWSERS,
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: Object.fromEntries(PAGES.map((name) => [name, page(name)])) },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
})
