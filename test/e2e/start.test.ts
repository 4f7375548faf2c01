import {execFile} from 'node:child_process'
import {cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises'
import module from 'node:module'
import {join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import type {Metafile} from 'esbuild'
import {ENGINE, openCompiled} from '../../bin/compiled.js'
import {buildSkylift, writeHelp} from '../../scripts/build.ts'
import {ALIASES, LOADERS} from '../../src/commands/loaders.ts'
import {COMMANDS} from '../../src/commands/index.ts'
import {findCommand} from '../../src/commands/run.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, makeHome, runSkylift} from '../support/run-skylift.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const AWS = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  AWS_REGION: 'eu-central-1',
}

/** All that signing adds to what oclif brings along itself. */
const SIGNING = ['@smithy/core', '@smithy/types', 'content-disposition', 'parse-duration', 'proxy-from-env']

function findPackages(sources: readonly string[]): Set<string> {
  return new Set(sources.flatMap(source => /node_modules\/((?:@[^/]+\/)?[^/]+)/u.exec(source)?.[1] ?? []))
}

describe('the start of a command', function () {
  this.timeout(60_000)
  let home: string
  let outputs: Metafile['outputs']

  before(async () => {
    home = await makeTempFolder()
    for (const name of ['bin', 'package.json']) await cp(join(ROOT, name), join(home, name), {recursive: true})
    const {metafile} = await buildSkylift(join(home, 'dist'), {metafile: true})
    outputs = Object.fromEntries(
      Object.entries(metafile?.outputs ?? {}).map(([path, output]) => [relative(home, join(ROOT, path)), output]),
    )
    await writeHelp(join(home, 'dist'))
  })

  /** The chunks that were loaded, and the sources that went into them. */
  async function load(...argv: string[]): Promise<{chunks: string[]; sources: string[]}> {
    const coverage = await mkdtemp(join(home, 'coverage-'))
    const env = {PATH: process.env['PATH'] ?? '', HOME: home, NODE_V8_COVERAGE: coverage, ...AWS}
    await run(process.execPath, [join(home, 'bin', 'run.js'), ...argv], {env})
    const chunks = new Set<string>()
    for (const file of await readdir(coverage)) {
      const {result} = JSON.parse(await readFile(join(coverage, file), 'utf8')) as {result: {url: string}[]}
      for (const {url} of result) {
        if (url.startsWith('file:')) chunks.add(relative(home, fileURLToPath(url)))
      }
    }
    await rm(coverage, {recursive: true})
    const sources = [...chunks].flatMap(chunk => Object.keys(outputs[chunk]?.inputs ?? {}))
    return {chunks: [...chunks], sources}
  }

  for (const argv of [
    ['link', 's3://c/k.pdf', '-f', 'résumé.pdf'],
    ['temp-url', 's3://c/k', '-X', 'PUT'],
  ]) {
    it(`of ${argv[0]} loads what signs, and nothing else that is heavy, in few files`, async () => {
      const {chunks, sources} = await load(...argv)
      // Otherwise the figures would say nothing.
      expect(sources.join('\n')).to.include(`src/commands/${argv[0]}.ts`).and.to.include('src/stores/s3/links.ts')
      const bare = findPackages((await load('--version')).sources)
      expect([...findPackages(sources)].filter(name => !bare.has(name)).sort()).to.deep.equal(SIGNING)
      // The index files of the SDK's core would bring all of it.
      expect(sources.filter(source => /@smithy\/core\/(?!.*\?copy$)/u.test(source))).to.deep.equal([])
      expect(sources.filter(source => /src\/(?:sandbox|upload|commands\/upload)/u.test(source))).to.deep.equal([])
      expect(chunks.length).to.be.at.most(16)
    })
  }

  it('of help and --version loads no command, no store and nothing that signs', async () => {
    for (const words of [[], ['--help'], ['--version'], ['upload', '--help']]) {
      const {sources} = await load(...words)
      expect(sources, words.join(' ')).to.include('src/cli/run.ts')
      const own = sources.filter(source => /^src\/(?:commands\/(?!run|loaders)|stores|http|upload)/u.test(source))
      expect(own, words.join(' ')).to.deep.equal([])
      expect([...findPackages(sources)].filter(name => SIGNING.includes(name))).to.deep.equal([])
    }
  })

  it('sees what is heavy where it is needed', async () => {
    const {sources} = await load('help')
    expect(sources.join('\n')).to.include('@oclif/plugin-help').and.to.include('src/commands/upload.ts')
  })

  it('tells of every command what the command itself says, with no template left', async () => {
    const {stdout} = await run(process.execPath, [join(home, 'bin', 'run.js'), '--help'])
    const topics = Object.keys(LOADERS).map(id => id.split(':')[0] ?? '')
    for (const topic of topics) expect(stdout).to.match(new RegExp(`^  ${topic} +[A-Z]`, 'mu'))
    for (const [id, {examples}] of Object.entries(COMMANDS)) {
      const {stdout: help} = await run(process.execPath, [join(home, 'bin', 'run.js'), ...id.split(':'), '--help'])
      expect(help).to.not.include('<%').and.to.not.include('undefined')
      if (examples !== undefined && id !== 'help') expect(help, id).to.include(`$ skylift ${id.replaceAll(':', ' ')}`)
    }
  })
})

describe('what a build brings along compiled', function () {
  this.timeout(60_000)
  const dist = join(ROOT, 'dist')
  let home: string

  before(async function () {
    // Later versions keep by themselves what they compiled.
    if ('enableCompileCache' in module) this.skip()
    home = await makeTempFolder()
    for (const name of ['bin', 'dist', 'package.json']) await cp(join(ROOT, name), join(home, name), {recursive: true})
  })

  after(closeAll)

  const start = async (...words: string[]): Promise<string> => {
    const {stdout} = await run(process.execPath, [join(home, 'bin', 'run.js'), ...words], {env: {HOME: home, ...AWS}})
    return stdout
  }

  it('is what this V8 takes, for every script', () => {
    const compiled = openCompiled(dist)
    const names = compiled?.names ?? []
    expect(names).to.include('run.js').and.to.have.lengthOf.at.least(100)
    expect(names.filter(name => compiled?.compile(name).cachedDataRejected !== false)).to.deep.equal([])
  })

  it('is what runs: no script is read from elsewhere', async () => {
    const away = join(home, 'dist', 'away')
    await rename(join(home, 'dist', 'chunks'), away)
    try {
      expect(await start('link', 's3://c/k.pdf')).to.match(/^https:/u)
      expect(await start('--version')).to.match(/^skylift\//u)
    } finally {
      await rename(away, join(home, 'dist', 'chunks'))
    }
  })

  it('is taken to the end of a run over many files, which changes flags of V8', async () => {
    const teller = join(home, 'teller.cjs')
    const told = join(home, 'told.txt')
    await writeFile(
      teller,
      `const vm = require('node:vm')
      const {appendFileSync} = require('node:fs')
      vm.Script = class extends vm.Script {
        constructor(text, options) {
          super(text, options)
          appendFileSync(${JSON.stringify(told)}, this.cachedDataRejected + ' ' + options.filename + '\\n')
        }
      }`,
    )
    const sandbox = await openSandbox()
    await openClient(sandbox).send(new CreateBucketCommand({Bucket: 'box'}))
    const {env, folder} = await makeHome({...accessEnv(sandbox), NODE_OPTIONS: `--require ${teller}`})
    await mkdir(join(folder, 'tree'))
    for (const name of ['a', 'b', 'c']) await writeFile(join(folder, 'tree', name), name)
    const {status, stderr} = await runSkylift(['upload', '-r', 'tree', 's3://box/'], {env, cwd: folder})
    expect(status, stderr).to.equal(0)
    const scripts = (await readFile(told, 'utf8')).trim().split('\n')
    expect(scripts.filter(line => !line.startsWith('false '))).to.deep.equal([])
    // Otherwise it would say nothing of what sends.
    expect(scripts.join('\n')).to.include('quick-sender')
  })

  for (const [what, change] of [
    [
      'of another V8',
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace(ENGINE, ENGINE.replaceAll(/./gu, 'x')), 'latin1'),
    ],
    ['empty', () => Buffer.alloc(0)],
    ['cut off in its head', (bytes: Buffer) => bytes.subarray(0, 100)],
  ] as const) {
    it(`is passed over where it is ${what}`, async () => {
      const file = join(home, 'dist', 'compiled.bin')
      const bytes = await readFile(file)
      await writeFile(file, change(bytes))
      try {
        expect(openCompiled(join(home, 'dist'))).to.equal(undefined)
        expect(await start('link', 's3://c/k.pdf')).to.match(/^https:/u)
      } finally {
        await writeFile(file, bytes)
      }
    })
  }
})

it('runs from the sources too', async function () {
  this.timeout(60_000)
  const {stdout} = await run(join(ROOT, 'bin', 'dev.mjs'), ['--version'])
  expect(stdout).to.match(/^skylift\//u)
})

describe('the map of commands', () => {
  it('knows every alias that a command has, and no other', () => {
    const aliases = Object.entries(COMMANDS).flatMap(([id, {aliases: all}]) => (all ?? []).map(alias => [alias, id]))
    expect(Object.fromEntries(aliases)).to.deep.equal(ALIASES)
    expect(Object.keys(COMMANDS)).to.deep.equal(Object.keys(LOADERS))
  })

  const ROWS: readonly (readonly [words: string, id: string | undefined, rest: readonly string[]])[] = [
    ['link s3://c/k', 'link', ['s3://c/k']],
    ['container create s3://c', 'container:create', ['s3://c']],
    ['container:create s3://c', 'container:create', ['s3://c']],
    ['bucket list s3://', 'container:list', ['s3://']],
    ['up a b', 'upload', ['a', 'b']],
    ['container', undefined, []],
    ['container make', undefined, []],
    ['toString', undefined, []],
    ['', undefined, []],
  ]
  for (const [words, id, rest] of ROWS) {
    it(`finds ${id ?? 'nothing'} in "${words}"`, () => {
      const found = findCommand(words === '' ? [] : words.split(' '))
      expect(found?.id).to.equal(id)
      expect(found?.words ?? []).to.deep.equal(rest)
    })
  }
})
