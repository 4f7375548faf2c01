import {execFile} from 'node:child_process'
import {cp, mkdtemp, readdir, readFile, rm} from 'node:fs/promises'
import {join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {expect} from 'chai'
import type {Metafile} from 'esbuild'
import {buildSkylift} from '../../scripts/build.ts'
import {ALIASES, LOADERS} from '../../src/commands/loaders.ts'
import {COMMANDS} from '../../src/commands/index.ts'
import {findCommand} from '../../src/commands/lazy.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const AWS = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  AWS_REGION: 'eu-central-1',
}

describe('the start of a command', function () {
  this.timeout(60_000)
  let home: string
  let outputs: Metafile['outputs']

  before(async () => {
    home = await makeTempFolder()
    for (const file of ['bin/run.js', 'package.json']) await cp(join(ROOT, file), join(home, file))
    const {metafile} = await buildSkylift(join(home, 'dist'), {metafile: true})
    outputs = Object.fromEntries(
      Object.entries(metafile?.outputs ?? {}).map(([path, output]) => [relative(home, join(ROOT, path)), output]),
    )
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
    it(`of ${argv[0]} loads no client-s3, no credential chain, no ora, no conf, and few files`, async () => {
      const {chunks, sources} = await load(...argv)
      // Otherwise the figures would say nothing.
      expect(sources.join('\n')).to.include(`src/commands/${argv[0]}.ts`).and.to.include('src/stores/s3/links.ts')
      const heavy =
        /node_modules\/(?:@aws-sdk|@smithy\/signature-v4|ora|conf|lib-storage|@oclif\/plugin-help)\/|@smithy\/core\/(?!.*\?copy$)/u
      expect(sources.filter(source => heavy.test(source))).to.deep.equal([])
      expect(sources.filter(source => /src\/(?:sandbox|upload|commands\/upload)/u.test(source))).to.deep.equal([])
      expect(chunks.length).to.be.at.most(16)
    })
  }

  it('sees what is heavy where it is needed', async () => {
    const {sources} = await load('--help')
    expect(sources.join('\n')).to.include('@oclif/plugin-help').and.to.include('src/commands/upload.ts')
  })
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
