/** Builds dist/: one bundle with lazily loaded chunks, so that a command loads what it needs and nothing else. */
import {rmSync} from 'node:fs'
import {build} from 'esbuild'

const root = new URL('..', import.meta.url).pathname
rmSync(`${root}dist`, {recursive: true, force: true})
await build({
  absWorkingDir: root,
  entryPoints: {commands: 'src/commands/index.ts', run: 'src/cli/run.ts'},
  outdir: 'dist',
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  mainFields: ['module', 'main'],
  chunkNames: 'chunks/[name]-[hash]',
  // oclif would bring 3.5 MB of compiler for its development mode.
  external: ['typescript', 'ts-node'],
  banner: {js: "import {createRequire as __cr} from 'node:module';const require=__cr(import.meta.url);"},
  legalComments: 'none',
  logLevel: 'warning',
})
