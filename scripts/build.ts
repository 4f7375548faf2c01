/** Builds dist/: one bundle with lazily loaded chunks, so that a command loads what it needs and nothing else. */
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join, relative, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Config} from '@oclif/core'
import type {Interfaces} from '@oclif/core'
import {build} from 'esbuild'
import type {BuildOptions, BuildResult, Plugin} from 'esbuild'
import {BANNER, compileScripts} from './compile.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const ENTRIES = {
  commands: 'src/commands/index.ts',
  index: 'src/index.ts',
  run: 'src/commands/run.ts',
}

const COPY = '?copy'
const FOUND = 'found'

/**
 * Gives our own files a copy of what they use of @smithy/core, a few functions. Otherwise they share its index files with
 * client-s3, and all that is behind them is loaded by every command that signs.
 */
const ownSmithyCore: Plugin = {
  name: 'own-smithy-core',
  setup({onResolve, onLoad, resolve}) {
    onResolve({filter: /^@smithy\/core\/|^\./}, async ({path, importer, resolveDir, kind, pluginData}) => {
      if (pluginData === FOUND) return undefined
      const isFirst = path.startsWith('@smithy/core/') && importer.startsWith(join(ROOT, 'src'))
      if (pluginData === COPY ? !/core[\\/]dist-es/u.test(importer) : !isFirst) return undefined
      const found = await resolve(path, {importer, resolveDir, kind, pluginData: FOUND})
      return {path: found.path, errors: found.errors, suffix: COPY, sideEffects: false, pluginData: COPY}
    })
    onLoad({filter: /core[\\/]dist-es/}, async ({path, suffix, pluginData}) =>
      suffix === COPY ? {contents: await readFile(path, 'utf8'), pluginData, loader: 'js'} : undefined,
    )
  },
}

/**
 * What packages bring along and nothing here can reach: `conf` checks schemas, and we give it none; ora has 90 spinners;
 * oclif looks for plugins and for files of commands, and has none to look for, compiles templates that only name values,
 * compares Node's version with one that is older than ours, and asks the disk for a Windows around this Linux, which would
 * stand in the line of --version; the SDK reads the user agents of browsers.
 */
const NEVER_USED: Readonly<Record<string, string>> = {
  'ajv/dist/2020.js': 'export class Ajv2020 {}',
  'ajv-formats': 'export default {}',
  bowser: 'export default {}',
  ejs: `const render = (text, values) => text.replace(/<%[-=] *([\\w.]+) *%>/g, (_, path) =>
  path.split('.').reduce((value, name) => value?.[name], values))
export default {render}`,
  minimatch: 'export const minimatch = () => false',
  semver: 'module.exports = {satisfies: () => true}',
  tinyglobby: 'export const glob = async () => []',
  'wsl-utils': `export const isWsl = false
export const powerShellPath = async () => 'powershell.exe'`,
  'cli-spinners': `const dots = {interval: 80, frames: [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"]}
export default {dots, dots2: dots, line: {interval: 130, frames: [..."-\\\\|/"]}}`,
}

const withoutUnused: Plugin = {
  name: 'without-unused',
  setup({onResolve, onLoad}) {
    onResolve({filter: new RegExp(`^(?:${Object.keys(NEVER_USED).join('|')})$`)}, ({path, importer}) => ({
      path,
      // A copy for each, which is smaller than a chunk that they would share.
      suffix: `?${importer}`,
      namespace: 'unused',
    }))
    onLoad({filter: /./, namespace: 'unused'}, ({path}) => ({contents: NEVER_USED[path] ?? '', loader: 'js'}))
  },
}

/** What every script needs that only makes a link, which has to be quick. */
const QUICK = ['src/commands/link.ts', 'src/stores/s3/store.ts'].map(file => join(ROOT, file))

/**
 * Keeps what a link needs in one chunk: each file takes as long to load as it takes to run. esbuild puts files together
 * that the same entries need, so every entry of ours is made to need all of these.
 */
const oneQuickChunk: Plugin = {
  name: 'one-quick-chunk',
  setup({onLoad}) {
    const entries = findEntries()
    onLoad({filter: /[\\/]src[\\/].*\.ts$/}, async ({path}) => {
      if (!entries.has(path)) return undefined
      const more = QUICK.filter(file => file !== path).map(file => `\nimport ${JSON.stringify(file)}`)
      return {contents: (await readFile(path, 'utf8')) + more.join(''), loader: 'ts'}
    })
  },
}

/**
 * Our own files with which a chunk may begin: the entries, and whatever is imported when it is needed. Not those that
 * every start loads: help signs nothing.
 */
function findEntries(): ReadonlySet<string> {
  const entries = new Set([ENTRIES.commands, ENTRIES.index].map(file => join(ROOT, file)))
  for (const file of readdirSync(join(ROOT, 'src'), {recursive: true, encoding: 'utf8'})) {
    if (!file.endsWith('.ts')) continue
    const path = join(ROOT, 'src', file)
    for (const [, to = ''] of readFileSync(path, 'utf8').matchAll(/\bimport\('(\.[^']+)'\)/gu))
      entries.add(resolve(path, '..', to))
  }
  return entries
}

/** Bundles as Skylift is bundled; `outdir` is emptied first. */
export async function bundle(options: BuildOptions & {readonly outdir: string}): Promise<BuildResult> {
  rmSync(options.outdir, {recursive: true, force: true})
  return build({
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    chunkNames: 'chunks/[name]-[hash]',
    // oclif would bring 3.5 MB of compiler for its development mode.
    external: ['typescript', 'ts-node'],
    plugins: [ownSmithyCore, oneQuickChunk, withoutUnused],
    banner: {js: BANNER},
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  })
}

export async function buildSkylift(outdir: string, more: BuildOptions = {}): Promise<BuildResult> {
  return bundle({entryPoints: ENTRIES, outdir, ...more})
}

/** What the page carries: scripts without imports, since it loads nothing, and the looks. */
export async function buildPage(outdir: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      main: 'src/page/client/main.ts',
      worker: 'src/page/client/worker.ts',
      style: 'src/page/client/style.css',
    },
    outdir,
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome116', 'firefox124', 'safari17.4'],
    // A closing tag within a string would end the element that the script stands in.
    supported: {'inline-script': false, 'inline-style': false},
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
  })
}

/** Writes down what help tells of the commands, so that it loads none of them; their list alone is a tenth of it. */
export async function writeHelp(outdir: string): Promise<void> {
  const pjson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Interfaces.PJSON
  const commands = {
    strategy: 'explicit' as const,
    target: `./${relative(ROOT, outdir)}/commands.js`,
    identifier: 'COMMANDS',
  }
  const config = await Config.load({root: ROOT, pjson: {...pjson, oclif: {...pjson.oclif, commands}}})
  const [plugin] = config.plugins.values()
  const {commands: all} = (plugin as unknown as {manifest: Interfaces.Manifest}).manifest
  const names = Object.entries(all).map(([id, command]) => [id, {...command, flags: {}, args: {}, examples: []}])
  for (const [name, commands] of Object.entries({all, list: Object.fromEntries(names) as typeof all})) {
    mkdirSync(join(outdir, 'help', name), {recursive: true})
    const manifest: Interfaces.Manifest = {commands, version: pjson.version}
    writeFileSync(join(outdir, 'help', name, 'oclif.manifest.json'), JSON.stringify(manifest))
  }
}

/** Builds beside dist and swaps: whoever runs it meanwhile has the old one or the new one. */
async function replaceDist(): Promise<void> {
  const [dist, fresh, old] = ['dist', `dist.${process.pid}`, `dist.old.${process.pid}`].map(name => join(ROOT, name))
  if (dist === undefined || fresh === undefined || old === undefined) return
  const {metafile} = await buildSkylift(fresh, {metafile: true})
  // Whose code is in it: `prepack` collects the licences.
  writeFileSync(join(fresh, 'inputs.json'), JSON.stringify({inputs: metafile?.inputs ?? {}}))
  await buildPage(join(fresh, 'page'))
  await writeHelp(fresh)
  await compileScripts(fresh)
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(fresh, dist)
  rmSync(old, {recursive: true, force: true})
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await replaceDist()
