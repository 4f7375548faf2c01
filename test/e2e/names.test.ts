import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift, startSwift} from '../servers/swift.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {makeBucket, openForeign, openSdk} from '../stores/foreign-s3.ts'
import type {ForeignClient} from '../stores/contract.ts'
import {makeContainer, openForeign as openForeignSwift, signIn} from '../stores/swift/foreign-swift.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Env, Home, S3Access} from '../support/run-skylift.ts'

/** What a file may be called. */
const NAMES = [
  'with space',
  ' space at both ends ',
  'a+b',
  '100%',
  '%2F%2e%2E%20',
  'why?',
  '?versionId=1',
  '#1',
  'a#b?c&d=e',
  "it's",
  'say "hi"',
  'back\\slash',
  'semi;colon,comma',
  '$HOME `id` $(id)',
  '*[a-z]{1,2}',
  'https:',
  '.hidden',
  '..two-dots',
  '...',
  '-dash',
  '~',
  'Grüße.txt',
  // The same letter, composed and decomposed: two names.
  '\u00E9',
  'e\u0301',
  '日本語.txt',
  'файл',
  'שלום',
  '🚀.bin',
  '👩‍👩‍👧',
  'tab\tand\nline',
  'a=b;c',
  '<tag>&amp;',
  'x'.repeat(200),
]

/** What only a key can be called: no path means it. */
const KEYS = [
  'up/../down',
  '..',
  '.',
  './a',
  'a/.',
  'a/..',
  '//two',
  'a//b',
  '/lead',
  'a/b/c/../../../etc/passwd',
  '%2e%2e/x',
  'a?b/c#d/e f',
  `${'ü'.repeat(511)}x`,
]

/** More that only Swift takes: characters count there, not bytes. */
const SWIFT_KEYS = ['two\nlines', 'tab\t', '\u0001', '漢'.repeat(600), 'ü'.repeat(1024), 'y'.repeat(1024)]

interface Place {
  readonly scheme: 's3' | 'swift'
  readonly env: Env
  readonly foreign: ForeignClient
}

function describeNames(name: string, keys: readonly string[], open: (context: Mocha.Context) => Promise<Place>): void {
  describe(`names on ${name}`, function () {
    this.timeout(120_000)
    let home: Home
    let foreign: ForeignClient
    let root: string

    before(async function () {
      const place = await open(this)
      foreign = place.foreign
      root = `${place.scheme}://names`
      home = await makeHome(place.env)
      await mkdir(join(home.folder, 'files'))
    })

    it('of files go up, several at once, and come back under exactly that key', async () => {
      const files = NAMES.map(each => join(home.folder, 'files', each))
      await Promise.all(files.map((file, index) => writeFile(file, NAMES[index] ?? '')))
      const ending = await runSkylift(['upload', ...files, `${root}/of files/`, '-q', '--json'], home)
      expect(ending.status, ending.stdout).to.equal(0)
      const named = NAMES.map(each => `of files/${each}`)
      const {objects} = readJson<{objects: {key: string}[]}>(ending)
      expect(objects.map(({key}) => key)).to.have.members(named)
      expect(await foreign.list()).to.include.members(named)
      for (const each of NAMES) expect((await foreign.read(`of files/${each}`))?.bytes.toString()).to.equal(each)
    })

    for (const size of [11, 6 * 1024 * 1024]) {
      it(`of keys go up and come back: ${size === 11 ? 'whole' : 'in parts'}`, async () => {
        const file = join(home.folder, 'file')
        await makeRandomFile(file, size)
        const before = await foreign.list()
        for (const key of keys) {
          const argv = ['upload', file, `${root}/${key}`, '-q', '-p', '5M']
          const {status, stderr} = await callSkylift(argv, home)
          expect(status, `${key}: ${stderr}`).to.equal(0)
          expect((await foreign.read(key))?.bytes.length, key).to.equal(size)
        }
        expect(await foreign.list()).to.have.members([...new Set([...before, ...keys])])
      })
    }
  })
}

async function openS3Place(access: S3Access): Promise<Place> {
  await makeBucket(access, 'names')
  return {scheme: 's3', env: accessEnv(access), foreign: openForeign(openSdk(access), 'names')}
}

describeNames('the sandbox', KEYS, async () => openS3Place(await openSandbox()))
after(closeAll)

describeNames("OpenStack Swift's S3 API", KEYS, async context => {
  needSwift(context)
  return openS3Place((await startSwift()).s3)
})

describeNames('OpenStack Swift', [...KEYS, ...SWIFT_KEYS], async context => {
  needSwift(context)
  const {v1} = await startSwift()
  const access = await signIn(v1)
  await makeContainer(access, 'names')
  const env = {ST_AUTH: v1.authUrl, ST_USER: v1.user, ST_KEY: v1.key}
  return {scheme: 'swift', env, foreign: openForeignSwift(access, 'names')}
})
