import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { build, type Plugin, type Rollup } from 'vite'

type Bundle = Rollup.OutputBundle
type Chunk = Rollup.OutputChunk & { viteMetadata?: { importedCss: Set<string>; importedAssets: Set<string> } }

/** All files that a page may ever load: its scripts, what those import now or later, their styles. */
function filesOf(page: string, bundle: Bundle): string[] {
  const seen = new Set<string>()
  const visit = (name: string) => {
    const chunk = bundle[name]
    if (seen.has(name) || chunk?.type !== 'chunk') return
    seen.add(name)
    for (const style of (chunk as Chunk).viteMetadata?.importedCss ?? []) seen.add(style)
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) visit(next)
  }
  const entry = Object.values(bundle).find((one) => one.type === 'chunk' && one.isEntry && one.name === page)
  if (entry) visit(entry.fileName)
  return [...seen].sort()
}

/** Builds the service worker, as one script in the root, with the list of what it is to keep. */
export function kioskWorker(targets: string[]): Plugin {
  return {
    name: 'kiosk-worker',
    apply: 'build',
    async writeBundle({ dir }, bundle) {
      if (!dir) return
      const files = ['favicon.svg', ...filesOf('classroom', bundle)].map((name) => `/${name}`)
      const html = bundle['classroom.html']
      const page = html?.type === 'asset' ? String(html.source) : ''
      const version = createHash('sha256').update([page, ...files].join('\n')).digest('hex').slice(0, 12)
      await build({
        configFile: false,
        logLevel: 'error',
        publicDir: false,
        define: { PAGE_FILES: JSON.stringify(files), PAGE_VERSION: JSON.stringify(version) },
        build: {
          target: targets,
          outDir: dir,
          emptyOutDir: false,
          rollupOptions: {
            input: fileURLToPath(new URL('./src/worker/main.ts', import.meta.url)),
            output: { format: 'iife', entryFileNames: 'worker.js' },
          },
        },
      })
    },
  }
}
