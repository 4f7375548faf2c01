import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift, startSwift} from '../servers/swift.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {makeBucket, openForeign, openSdk} from '../stores/foreign-s3.ts'
import type {ForeignClient} from '../stores/contract.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Home, S3Access} from '../support/run-skylift.ts'

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

function describeNames(
  name: string,
  refused: readonly string[],
  open: (context: Mocha.Context) => Promise<S3Access>,
): void {
  describe(`names on ${name}`, function () {
    this.timeout(120_000)
    let home: Home
    let foreign: ForeignClient

    before(async function () {
      const access = await open(this)
      await makeBucket(access, 'names')
      foreign = openForeign(openSdk(access), 'names')
      home = await makeHome(accessEnv(access))
      await mkdir(join(home.folder, 'files'))
    })

    it('of files go up, several at once, and come back under exactly that key', async () => {
      const files = NAMES.map(each => join(home.folder, 'files', each))
      await Promise.all(files.map((file, index) => writeFile(file, NAMES[index] ?? '')))
      const ending = await runSkylift(['upload', ...files, 's3://names/of files/', '-q', '--json'], home)
      expect(ending.status, ending.stdout).to.equal(0)
      const keys = NAMES.map(each => `of files/${each}`)
      const {objects} = readJson<{objects: {key: string}[]}>(ending)
      expect(objects.map(({key}) => key)).to.have.members(keys)
      expect(await foreign.list()).to.include.members(keys)
      for (const each of NAMES) expect((await foreign.read(`of files/${each}`))?.bytes.toString()).to.equal(each)
    })

    for (const size of [11, 6 * 1024 * 1024]) {
      it(`of keys go up and come back: ${size === 11 ? 'whole' : 'in parts'}`, async () => {
        const file = join(home.folder, 'file')
        await makeRandomFile(file, size)
        const before = await foreign.list()
        for (const key of KEYS.filter(each => !refused.includes(each))) {
          const argv = ['upload', file, `s3://names/${key}`, '-q', '-p', '5M']
          const {status, stderr} = await callSkylift(argv, home)
          expect(status, `${key}: ${stderr}`).to.equal(0)
          expect((await foreign.read(key))?.bytes.length, key).to.equal(size)
        }
        const keys = await foreign.list()
        const made = KEYS.filter(each => !refused.includes(each))
        expect(keys).to.have.members([...new Set([...before, ...made])])
      })
    }
  })
}

describeNames('the sandbox', [], () => openSandbox())
after(closeAll)

describeNames("OpenStack Swift's S3 API", [], async context => {
  needSwift(context)
  return (await startSwift()).s3
})
