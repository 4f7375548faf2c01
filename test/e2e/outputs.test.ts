import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {ListObjectsV2Command} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

const SENTENCE = /^Standard output cannot be written: ENOSPC: no space left on device, write\.\n  Send it.*\n$/u

describe('what a command says', function () {
  this.timeout(60_000)
  let arena: Arena
  let home: Home
  let file: string
  let keys = 0

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
    file = await arena.makeFile(11 * MIB)
  })
  after(() => arena.close())

  /** Through a shell that sends the outputs elsewhere; what that says and the true status are the ending. */
  async function run(argv: readonly string[], redirect: string, stdin?: Uint8Array): Promise<Ending> {
    const told = join(home.folder, 'status')
    const through = ['sh', '-c', `{ "$@"; echo $? >"$0"; } ${redirect}`, told]
    const ending = await runSkylift(argv, {env: home.env, through, ...(stdin === undefined ? {} : {stdin})})
    return {...ending, status: Number(await readFile(told, 'utf8'))}
  }

  async function expectStored(key: string): Promise<void> {
    expect(await arena.hashStored(key)).to.equal(await hashPath(file))
    expect(await arena.listUploads()).to.deep.equal([])
  }

  describe('on a stderr that cannot be written', () => {
    for (const [what, redirect] of [
      ['is full', '2>/dev/full'],
      ['nobody reads any more', '2>&1 >/dev/null | true'],
    ] as const) {
      for (const words of [[], ['-v', '-q'], ['--progress', 'json']]) {
        it(`since it ${what}, does not stop an upload: ${words.join(' ') || 'lines'}`, async () => {
          const key = `object-${++keys}`
          const {status} = await run(['upload', file, `s3://${BUCKET}/${key}`, '-p', '5M', ...words], redirect)
          expect(status).to.equal(0)
          await expectStored(key)
        })
      }
    }

    it('does not stop a stream, whose first line was enough', async () => {
      const key = `object-${++keys}`
      const argv = ['upload', '-', `s3://${BUCKET}/${key}`, '-p', '5M', '--progress', 'json']
      const {status, stdout} = await run(argv, '2>&1 | head -1', await readFile(file))
      expect(status).to.equal(0)
      expect(stdout).to.match(/^\{.*"event":"start".*\}\n$/u)
      await expectStored(key)
    })

    it('leaves a failure its status', async () => {
      const {status} = await run(['upload', 'nothing-here', `s3://${BUCKET}/`], '2>/dev/full')
      expect(status).to.equal(5)
    })
  })

  describe('on a stdout that cannot be written', () => {
    for (const words of [[], ['--json']]) {
      it(`ends as config when the file is stored: ${words.join(' ') || 'lines'}`, async () => {
        const key = `object-${++keys}`
        const argv = ['upload', file, `s3://${BUCKET}/${key}`, '-q', '-p', '5M', ...words]
        const {status, stderr} = await run(argv, '>/dev/full')
        expect(stderr).to.match(SENTENCE)
        expect(status).to.equal(2)
        await expectStored(key)
      })
    }

    it('stores all files of a folder, and writes --results', async () => {
      const folder = join(home.folder, 'many')
      await mkdir(folder)
      for (let number = 0; number < 40; number++) await writeFile(join(folder, `${number}`), `${number}`)
      const results = join(home.folder, 'results.ndjson')
      const argv = ['upload', '-r', folder, `s3://${BUCKET}/many/`, '-q', '--results', results]
      const {status, stderr} = await run(argv, '>/dev/full')
      expect(stderr).to.match(SENTENCE)
      expect(status).to.equal(2)
      const {Contents = []} = await arena.client.send(new ListObjectsV2Command({Bucket: BUCKET, Prefix: 'many/'}))
      expect(Contents).to.have.length(40)
      expect((await readFile(results, 'utf8')).trimEnd().split('\n')).to.have.length(40)
    })

    for (const argv of [
      ['container', 'list', 's3://'],
      ['pending', 'list', `s3://${BUCKET}`, '--json'],
      ['--version'],
    ]) {
      it(`says so of what only prints: ${argv.slice(0, 2).join(' ')}`, async () => {
        const {status, stderr} = await run(argv, '>/dev/full')
        expect(stderr).to.match(SENTENCE)
        expect(status).to.equal(2)
      })
    }

    it('leaves a failure its own status', async () => {
      const {status, stderr} = await run(['upload', 'nothing-here', `s3://${BUCKET}/`, '--json'], '>/dev/full')
      expect(stderr).to.match(SENTENCE)
      expect(status).to.equal(5)
    })

    it('is told as one line of the events where a program reads them', async () => {
      const argv = ['upload', file, `s3://${BUCKET}/object-${++keys}`, '--progress', 'json']
      const {stderr} = await run(argv, '>/dev/full')
      const last = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>
      expect(last).to.include({event: 'failure', code: 'config'})
    })

    it('is no matter where its reader has read enough', async () => {
      const {status, stderr} = await run(['container', 'list', 's3://'], '| true')
      expect(stderr).to.equal('')
      expect(status).to.equal(0)
    })
  })
})
