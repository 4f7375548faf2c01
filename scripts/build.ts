/** Builds dist/: one bundle with lazily loaded chunks, so that a command loads what it needs and nothing else. */
import {rmSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {build} from 'esbuild'
import type {BuildOptions} from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const ENTRIES = {commands: 'src/commands/index.ts', lazy: 'src/commands/lazy.ts', run: 'src/cli/run.ts'}

/** Bundles as Skylift is bundled; `outdir` is emptied first. */
export async function bundle(options: BuildOptions & {readonly outdir: string}): Promise<void> {
  rmSync(options.outdir, {recursive: true, force: true})
  return build({
    absWorkingDir: ROOT,
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
    ...options,
  })
}

export async function buildSkylift(outdir: string, more: BuildOptions = {}): Promise<void> {
  await bundle({entryPoints: ENTRIES, outdir, ...more})
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildSkylift(join(ROOT, 'dist'))
