import {mkdir, readFile, rm, symlink} from 'node:fs/promises'
import {join} from 'node:path'
import {Writable} from 'node:stream'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {createDisplay} from '../../src/cli/displays/display.ts'
import {takeUnannotated} from '../../src/cli/github.ts'
import {Failure} from '../../src/core/failure.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, callSkylift, endSandboxes, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

const GITHUB = {GITHUB_ACTIONS: 'true'}

const annotationsOf = ({stderr}: Pick<Ending, 'stderr'>): string[] =>
  stderr.split('\n').filter(line => line.startsWith('::error'))

describe('skylift in GitHub Actions', () => {
  let home: Home
  let summary: string

  before(async () => {
    const sandbox = await openSandbox()
    await openClient(sandbox).send(new CreateBucketCommand({Bucket: 'box'}))
    home = await makeHome(accessEnv(sandbox))
    summary = join(home.folder, 'summary.md')
  })
  after(async () => {
    await endSandboxes()
    await closeAll()
  })

  const call = (argv: readonly string[], env: Home['env'] = GITHUB): Promise<Ending> =>
    callSkylift(argv, {env: {...home.env, ...env}})

  describe('annotates what fails before anything is sent', () => {
    const rows: [what: string, argv: string[], message: RegExp][] = [
      ['a pattern without files', ['upload', '/nowhere/nomatch*', 's3://box/'], /nomatch\*/u],
      ['a file that is not there', ['upload', '/nowhere/nofile', 's3://box/'], /nofile/u],
      ['words that cannot be parsed', ['upload', '--no-such-flag'], /no-such-flag/u],
      ['another command', ['container', 'show', 's3://nobody'], /nobody/u],
      ['hostile names', ['upload', '/nowhere/%0A,\n::error::x\u001B[2J##[add-mask]y', 's3://box/'], /%250A,/u],
    ]
    for (const [what, argv, message] of rows) {
      it(`once: ${what}`, async () => {
        const ending = await call(argv)
        expect(ending.status).to.be.above(0)
        const [only, ...more] = annotationsOf(ending)
        expect(more).to.deep.equal([])
        expect(only)
          .to.match(/^::error title=Skylift failed::\P{Cc}*$/u)
          .and.to.match(message)
      })
    }

    it('a command that there is not', async () => {
      const ending = await runSkylift(['uplaod'], {env: {...home.env, ...GITHUB}})
      expect(annotationsOf(ending)).to.have.length(1)
    })

    it('not where a program reads it, nor elsewhere', async () => {
      const argv = ['upload', '/nowhere/nofile', 's3://box/']
      for (const ending of [
        await call([...argv, '--json']),
        await call([...argv, '--progress', 'json']),
        await call(argv, {}),
      ]) {
        expect(ending.status).to.equal(5)
        expect(ending.stderr).not.to.include('::error')
      }
    })
  })

  it('annotates each failure of a quiet run once, ten at most', async () => {
    const folder = join(home.folder, 'links')
    await mkdir(folder)
    for (let number = 1; number <= 12; number++) await symlink('nowhere', join(folder, `link-${number}`))
    const annotations = annotationsOf(await call(['upload', '-q', '-r', folder, 's3://box/']))
    expect(annotations).to.have.length(10)
    expect(new Set(annotations).size).to.equal(10)
    const told = annotationsOf(await call(['upload', '-r', folder, 's3://box/']))
    expect(told).to.have.length(10)
    for (const each of told) expect(each).to.match(/^::error title=Upload of \S+link-\d+ failed::/u)
  })

  it('annotates once what failed beside the files, and leaves nothing of a run to the command', async () => {
    let written = ''
    const stderr = new Writable({
      write(chunk, _, done) {
        written += String(chunk)
        done()
      },
    })
    const display = await createDisplay('lines', {stderr, stdout: stderr}, {env: GITHUB})
    const told = new Failure('forbidden', 'This key may not be written.')
    const beside = new Failure('config', 'The results cannot be written.')
    display.event({event: 'failed', id: 1, source: 'a', code: told.code, message: told.message})
    display.end([told, beside])
    display.end([told, beside])
    expect(annotationsOf({stderr: written})).to.deep.equal([
      '::error title=Upload of a failed::This key may not be written.',
      '::error title=Upload failed::The results cannot be written.',
    ])
    expect(takeUnannotated([told, beside])).to.deep.equal([])
  })

  describe('names a stream that fails', () => {
    const argv = ['upload', '--from-command', 's3://box/dump.sql']
    const program = ['--', 'sh', '-c', 'exit 3']

    it('in its annotation and in the summary', async () => {
      await rm(summary, {force: true})
      const ending = await call([...argv, ...program], {...GITHUB, GITHUB_STEP_SUMMARY: summary})
      expect(ending.status).to.equal(7)
      expect(annotationsOf(ending)).to.have.length(1)
      expect(annotationsOf(ending)[0]).to.match(/^::error title=Upload of sh failed::"sh" ended with status 3/u)
      expect(await readFile(summary, 'utf8')).to.match(/^\| <code>sh<\/code> \| <code>"sh" ended/mu)
    })

    it('before it has begun: the container is not there', async () => {
      const gone = ['upload', '--from-command', 's3://nobody-made-it/dump.sql', '--', 'echo', 'x']
      const ending = await call(gone, {...GITHUB, GITHUB_STEP_SUMMARY: summary})
      expect(annotationsOf(ending)).to.have.length(1)
      expect(annotationsOf(ending)[0]).to.match(/^::error title=Upload of echo failed::/u)
    })

    it('in its event, and in one line of results', async () => {
      const results = join(home.folder, 'results.ndjson')
      const {stderr} = await call([...argv, '--progress', 'json', '--results', results, ...program], {})
      const events = stderr
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as {event: string})
      const failed = {event: 'failed', source: 'sh', target: 's3://box/dump.sql', code: 'source-changed'}
      expect(events.find(({event}) => event === 'failed')).to.include(failed)
      const lines = (await readFile(results, 'utf8')).trim().split('\n')
      expect(lines).to.have.length(1)
      expect(JSON.parse(lines[0] ?? '')).to.include({status: 'failed', source: 'sh', key: 'dump.sql'})
    })
  })
})
