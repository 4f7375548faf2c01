import {readdirSync, readFileSync} from 'node:fs'
import {posix} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'

/** Who may import whom. A folder stands for all its files, a longer word for one; `type` allows only `import type`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  state: ['core'],
  http: ['core'],
  upload: ['core', 'state', 'type stores/store'],
  sandbox: ['core', 'state'],
  page: [
    ...['core', 'upload/plan', 'upload/progress', 'upload/rate', 'type upload/events'],
    ...['stores/ticket/ticket', 'type stores/store', 'type stores/ticket/ticket-store'],
  ],
  cli: [
    ...['core', 'state', 'upload', 'sandbox', 'http/agents', 'http/waits', 'type http/send'],
    ...['stores/open', 'stores/store', 'stores/ticket/ticket'],
    ...['stores/findings', 'type stores/remote', 'type stores/surroundings'],
  ],
  commands: ['core', 'cli', 'upload', 'page', 'sandbox'],
  // The files beside the folders put the drivers together.
  stores: ['core', 'http', 'stores'],
  'stores/layers': ['core', 'http', ...rootsOfStores()],
  'stores/s3': ['core', 'http', ...rootsOfStores(), 'type stores/ticket'],
  'stores/swift': ['core', 'http', ...rootsOfStores(), 'type stores/ticket'],
  'stores/ticket': ['core', 'http', ...rootsOfStores(), ...sdkFree('s3'), ...sdkFree('swift'), ...verbsByUrl()],
  'stores/url': [
    ...['core', 'http', ...rootsOfStores(), ...sdkFree('s3'), ...sdkFree('swift'), ...verbsByUrl()],
    'stores/s3/object-headers',
  ],
}

function rootsOfStores(): string[] {
  return ['stores/store', 'stores/findings', 'stores/surroundings', 'stores/remote', 'stores/try-page']
}

function sdkFree(wing: string): string[] {
  return ['sign', 'failures', 'temp-url'].map(name => `stores/${wing}/${name}`)
}

/** What of the wings a ticket needs to do as they do, by URLs that are signed already; no SDK in it. */
function verbsByUrl(): string[] {
  return [
    ...['type stores/s3/client', 'stores/s3/upload', 'stores/s3/whole', 'stores/s3/checksum', 'stores/s3/quirks'],
    ...['stores/s3/objects', 'type stores/swift/client', 'stores/swift/put-part', 'stores/swift/whole'],
    ...['stores/swift/manifest', 'stores/swift/object-headers'],
    ...['stores/swift/conditions', 'stores/swift/info', 'stores/swift/shared-work'],
  ]
}

/** Packages that only some may import. */
const OWNED: readonly (readonly [prefix: string, owners: readonly string[]])[] = [
  ['@aws-sdk/', ['stores/s3']],
  ['@oclif/', ['cli', 'commands']],
  ['ora', ['cli']],
  ['conf', ['cli']],
]

/** What runs in the browser too. */
const NODE_FREE = ['core', 'upload/plan', 'upload/progress', 'upload/rate', 'stores/ticket/ticket', 'page/client']

/** The only ones that print, end the process, or look around in it. */
const MAY_PRINT = ['cli']

const SIX_FILES = ['client', 'upload', 'container', 'links', 'failures', 'quirks']

interface Import {
  readonly to: string
  readonly isType: boolean
}

const IMPORTS = [
  /^[ \t]*(?:import|export)\s+(?<type>type\s)?\s*(?<names>[\w$*{}\s,]+?)\s*from\s*['"](?<to>[^'"]+)['"]/gmu,
  /^[ \t]*import\s*['"](?<to>[^'"]+)['"]/gmu,
  /(?<type>\btypeof\s+)?\bimport\(\s*['"](?<to>[^'"]+)['"]/gmu,
]

function readImports(source: string): Import[] {
  return IMPORTS.flatMap(pattern =>
    [...source.matchAll(pattern)].map(({groups = {}}) => {
      const names = /^\{(?<all>[^}]*)\}$/u.exec(groups['names'] ?? '')?.groups?.['all']?.split(',')
      const areTypes = names?.every(name => name.trim() === '' || name.trim().startsWith('type ')) === true
      return {to: groups['to'] ?? '', isType: groups['type'] !== undefined || areTypes}
    }),
  )
}

function isIn(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`)
}

function withoutEnding(path: string): string {
  return path.replace(/(?:\.d)?\.ts$/u, '')
}

/** The row of the table that a file falls under; undefined for `src/index.ts`, which may import anything. */
function rowOf(file: string): string | undefined {
  const [first = '', second = ''] = file.split('/')
  const folder = `${first}/${second}`
  return file === 'index' ? undefined : folder in MAY_IMPORT && file !== folder ? folder : first
}

function mayImport(file: string, to: string, isType: boolean): boolean {
  const row = rowOf(file)
  if (row === undefined || rowOf(to) === row) return true
  return (MAY_IMPORT[row] ?? []).some(place =>
    place.startsWith('type ') ? isType && isIn(to, place.slice(5)) : isIn(to, place),
  )
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gmu, '')
}

/** Returns what is wrong with one file, each as a sentence. `path` counts from `src`. */
function checkFile(path: string, source: string): string[] {
  const file = withoutEnding(path)
  const problems: string[] = []
  const code = withoutComments(source)
  if (rowOf(file) !== undefined && !((rowOf(file) ?? '') in MAY_IMPORT))
    problems.push(`\`${path}\` stands in no folder of the table`)
  for (const {to, isType} of readImports(code)) {
    if (to.startsWith('.')) {
      const target = posix.normalize(posix.join(posix.dirname(path), to))
      if (!mayImport(file, withoutEnding(target), isType)) problems.push(`\`${path}\` imports \`${target}\``)
      continue
    }
    const owners = OWNED.find(([prefix]) => to === prefix || (prefix.endsWith('/') && to.startsWith(prefix)))?.[1]
    const isAllowed = owners === undefined || owners.some(owner => isIn(file, owner))
    const needsNode = to.startsWith('node:') && NODE_FREE.some(place => isIn(file, place))
    if (!isAllowed || needsNode || to === 'node:process') problems.push(`\`${path}\` imports \`${to}\``)
  }
  if (/\bimport\((?!\s*['"])|\brequire\(|\bcreateRequire\b/u.test(code))
    problems.push(`\`${path}\` imports what nobody can see`)
  if (!MAY_PRINT.some(place => isIn(file, place))) {
    const [found] =
      /\bconsole\s*[.[]|\bprocess\s*(?:\.\s*|\[\s*['"])(?:exit|env|stdout|stderr|argv)\b/u.exec(code) ?? []
    if (found !== undefined) problems.push(`\`${path}\` uses \`${found}\``)
  }
  if (!isIn(file, 'commands') && /^\s*export\s+default\b|\bas\s+default\b/mu.test(code))
    problems.push(`\`${path}\` has a default export`)
  return problems
}

/** Returns the chain of our own files by which a file comes to need Node; undefined where it does not. */
function wayToNode(path: string, sources: ReadonlyMap<string, string>, seen = new Set<string>()): string[] | undefined {
  if (seen.has(path)) return undefined
  seen.add(path)
  for (const {to, isType} of readImports(withoutComments(sources.get(path) ?? ''))) {
    if (isType) continue
    if (to.startsWith('node:')) return [path, to]
    if (!to.startsWith('.')) continue
    const way = wayToNode(posix.normalize(posix.join(posix.dirname(path), to)), sources, seen)
    if (way !== undefined) return [path, ...way]
  }
  return undefined
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const sources = new Map(
  readdirSync(`${ROOT}/src`, {recursive: true, encoding: 'utf8'})
    .filter(path => path.endsWith('.ts'))
    .map(path => [path, readFileSync(`${ROOT}/src/${path}`, 'utf8')]),
)

describe('the walls of the house', () => {
  it('stand: imports point one way, only cli prints, exports have names', () => {
    expect(sources.size).to.be.above(80)
    expect([...sources].flatMap(([path, source]) => checkFile(path, source))).to.deep.equal([])
  })

  it('keep Node out of what runs in the browser, by whatever way', () => {
    const roots = [...sources.keys()].filter(path => NODE_FREE.some(place => isIn(withoutEnding(path), place)))
    expect(roots).to.include('core/failure.ts')
    expect(roots.map(path => wayToNode(path, sources)).filter(way => way !== undefined)).to.deep.equal([])
  })

  it('leave no package that is not declared', () => {
    const {dependencies} = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as {
      dependencies: Record<string, string>
    }
    const packages = [...sources].flatMap(([path, source]) =>
      readImports(withoutComments(source))
        .map(({to}) => /^(?:@[^/]+\/)?[^/]+/u.exec(to)?.[0] ?? '')
        .filter(name => !name.startsWith('.') && !name.startsWith('node:') && !(name in dependencies))
        .map(name => `\`${path}\` imports \`${name}\``),
    )
    expect(packages).to.deep.equal([])
  })

  it('let nock into one file alone: from its import on it stands before the network of every test', () => {
    const importers = readdirSync(`${ROOT}/test`, {recursive: true, encoding: 'utf8'})
      .filter(path => path.endsWith('.ts'))
      .filter(path =>
        readImports(withoutComments(readFileSync(`${ROOT}/test/${path}`, 'utf8'))).some(({to}) => to === 'nock'),
      )
    expect(importers).to.deep.equal(['support/nock.ts'])
  })

  const wings = ['s3', 'swift'].filter(
    wing => wing === 's3' || [...sources.keys()].some(path => isIn(path, `stores/${wing}`)),
  )
  for (const wing of wings) {
    it(`hold the six files of the ${wing} wing`, () => {
      const files = [...sources.keys()].filter(path => isIn(path, `stores/${wing}`))
      expect(files).to.include.members(SIX_FILES.map(name => `stores/${wing}/${name}.ts`))
    })
  }
})

describe('the check of the walls', () => {
  const violations: [path: string, source: string, problem: string][] = [
    ['upload/x.ts', `import {y} from '../stores/s3/y.ts'`, 'imports `stores/s3/y.ts`'],
    ['upload/x.ts', `import type {y} from '../stores/s3/y.ts'`, 'imports `stores/s3/y.ts`'],
    ['upload/x.ts', `export {y} from '../cli/y.ts'`, 'imports `cli/y.ts`'],
    ['upload/x.ts', `export * from '../cli/y.ts'`, 'imports `cli/y.ts`'],
    ['upload/x.ts', `export type * as z from '../cli/y.ts'`, 'imports `cli/y.ts`'],
    ['upload/x.ts', `import '../cli/y.ts'`, 'imports `cli/y.ts`'],
    ['upload/x.ts', `import {\n  a,\n  type B,\n} from '../http/y.ts'`, 'imports `http/y.ts`'],
    ['upload/x.ts', `  const {y} = await import('../http/y.ts')`, 'imports `http/y.ts`'],
    ['upload/x.ts', `type Y = typeof import('../http/y.ts')`, 'imports `http/y.ts`'],
    ['upload/x.ts', `import {Store} from '../stores/store.ts'`, 'imports `stores/store.ts`'],
    ['upload/x.ts', `import {type Store, isStore} from '../stores/store.ts'`, 'imports `stores/store.ts`'],
    ['core/x.ts', `import {y} from '../http/y.ts'`, 'imports `http/y.ts`'],
    ['core/x.ts', `import type {Buffer} from 'node:buffer'`, 'imports `node:buffer`'],
    ['upload/plan.ts', `import {join} from "node:path"`, 'imports `node:path`'],
    ['stores/ticket/ticket.ts', `import 'node:fs'`, 'imports `node:fs`'],
    ['http/x.ts', `import {y} from '../stores/store.ts'`, 'imports `stores/store.ts`'],
    ['stores/s3/x.ts', `import {y} from '../swift/y.ts'`, 'imports `stores/swift/y.ts`'],
    ['stores/swift/x.ts', `import type {y} from '../s3/y.ts'`, 'imports `stores/s3/y.ts`'],
    ['stores/s3/x.ts', `import {openStore} from '../open.ts'`, 'imports `stores/open.ts`'],
    ['stores/url/x.ts', `import {y} from '../s3/client.ts'`, 'imports `stores/s3/client.ts`'],
    ['stores/open.ts', `import {y} from '../upload/plan.ts'`, 'imports `upload/plan.ts`'],
    ['stores/swift/x.ts', `import {S3Client} from '@aws-sdk/client-s3'`, 'imports `@aws-sdk/client-s3`'],
    ['upload/x.ts', `const {default: ora} = await import('ora')`, 'imports `ora`'],
    ['commands/x.ts', `import Conf from 'conf'`, 'imports `conf`'],
    ['upload/x.ts', `import {Flags} from '@oclif/core'`, 'imports `@oclif/core`'],
    ['commands/x.ts', `import {y} from '../stores/open.ts'`, 'imports `stores/open.ts`'],
    ['commands/x.ts', `import {y} from '../stores/s3/y.ts'`, 'imports `stores/s3/y.ts`'],
    ['page/x.ts', `import {y} from '../upload/transfer.ts'`, 'imports `upload/transfer.ts`'],
    ['page/x.ts', `import {y} from '../stores/ticket/mint.ts'`, 'imports `stores/ticket/mint.ts`'],
    ['sandbox/a/x.ts', `import {y} from '../../http/y.ts'`, 'imports `http/y.ts`'],
    ['http/x.ts', `import {env} from 'node:process'`, 'imports `node:process`'],
    ['http/x.ts', `await import(name)`, 'imports what nobody can see'],
    ['http/x.ts', `const y = require('y')`, 'imports what nobody can see'],
    ['http/x.ts', `console.log(1)`, 'uses `console.`'],
    ['index.ts', `console.log(1)`, 'uses `console.`'],
    ['stores/open.ts', `const {HOME} = process.env`, 'uses `process.env`'],
    ['stores/open.ts', `process['exit'](1)`, `uses \`process['exit\``],
    ['core/x.ts', `export default 1`, 'has a default export'],
    ['core/x.ts', `export {x as default}`, 'has a default export'],
    ['helpers/x.ts', ``, 'stands in no folder of the table'],
  ]
  for (const [path, source, problem] of violations) {
    it(`finds ${JSON.stringify(source)} in ${path}`, () => {
      expect(checkFile(path, `import {Failure} from 'x'\n${source}\n`)).to.deep.equal([`\`${path}\` ${problem}`])
    })
  }

  const allowed: [path: string, source: string][] = [
    ['upload/x.ts', `import type {Store} from '../stores/store.ts'`],
    ['upload/x.ts', `import {type Store} from '../stores/store.ts'`],
    ['upload/x.ts', `// import {y} from '../stores/s3/y.ts'\n/** console.log, process.env */`],
    ['upload/x.ts', `import {planParts} from './plan.ts'`],
    ['stores/open.ts', `const {y} = await import('./s3/store.ts')`],
    ['stores/url/x.ts', `import {y} from '../s3/failures.ts'`],
    ['stores/s3/x.ts', `import {y} from '@aws-sdk/client-s3'`],
    ['cli/x.ts', `console.log(process.env['HOME'])`],
    ['commands/x.ts', `export default class X {}`],
    ['index.ts', `export {openStore} from './stores/open.ts'`],
  ]
  for (const [path, source] of allowed) {
    it(`lets ${JSON.stringify(source)} pass in ${path}`, () => {
      expect(checkFile(path, source)).to.deep.equal([])
    })
  }

  it('finds Node behind another file', () => {
    const made = new Map([
      ['upload/plan.ts', `import {a} from './a.ts'\nimport type {b} from './b.ts'`],
      ['upload/a.ts', `import {c} from './c.ts'`],
      ['upload/b.ts', `import 'node:fs'`],
      ['upload/c.ts', `import {a} from './a.ts'\nimport {join} from 'node:path'`],
    ])
    expect(wayToNode('upload/plan.ts', made)).to.deep.equal([
      'upload/plan.ts',
      'upload/a.ts',
      'upload/c.ts',
      'node:path',
    ])
    made.set('upload/c.ts', '')
    expect(wayToNode('upload/plan.ts', made)).to.equal(undefined)
  })
})
