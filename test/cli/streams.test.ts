import {expect} from 'chai'
import {GIB, MIB, TIB} from '../../src/core/sizes.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {accessEnv, callSkylift, endSandboxes, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

interface PlanJson {
  readonly plans: readonly {
    readonly source: string
    readonly target: string
    readonly size?: number
    readonly partSize: number
    readonly count: number
    readonly reach: number
    readonly steps: readonly {readonly part: number; readonly offset: number; readonly partSize: number}[]
  }[]
}

describe('skylift upload of a stream, in words', () => {
  let home: Home

  before(async () => {
    home = await makeHome(accessEnv(await openSandbox()))
  })
  after(async () => {
    await endSandboxes()
    await closeAll()
  })

  const call = (argv: readonly string[]): Promise<Ending> => callSkylift(['upload', ...argv], home)

  const refusals: readonly (readonly [what: string, argv: readonly string[], words: RegExp, suggestion: RegExp])[] = [
    ['a container as the target', ['-', 's3://box'], /"s3:\/\/box" names no object/u, /s3:\/\/box\/backup/u],
    [
      'a folder as the target',
      ['-', 's3://box/x/'],
      /names no object, and a stream has no name/u,
      /s3:\/\/box\/x\/backup/u,
    ],
    [
      'a folder as the target of a program',
      ['--from-command', 's3://box/', '--', 'true'],
      /names no object/u,
      /whole key/u,
    ],
    ['no target', ['-'], /Where should stdin go/u, /skylift upload - TARGET/u],
    ['a target that is none', ['-', 'box/key'], /"box\/key" is none/u, /upload - TARGET/u],
    ['stdin among files', ['-', 'a.txt', 's3://box/'], /stdin \(-\) goes alone/u, /\.\/-/u],
    ['stdin twice', ['-', '-', 's3://box/k'], /stdin \(-\) goes alone/u, /\.\/-/u],
    [
      'a program without a target',
      ['--from-command', '--', 'pg_dump', 'shop'],
      /"pg_dump" is none/u,
      /--from-command TARGET -- /u,
    ],
    ['no program', ['--from-command', 's3://box/k'], /Which program/u, /-- PROGRAM/u],
    ['nothing but --from-command', ['--from-command'], /Where should the output go/u, /-- PROGRAM/u],
    ['--expect-size of a file', ['a.txt', 's3://box/k', '--expect-size', '1M'], /--expect-size is for stdin/u, /./u],
    ['--engine sdk', ['-', 's3://box/k', '--engine', 'sdk'], /cannot be sent by --engine sdk/u, /Leave/u],
    ['--resume store', ['-', 's3://box/k', '--resume', 'store'], /does not come again/u, /./u],
    ['--receipt', ['-', 's3://box/k', '--receipt', 'r.json'], /--receipt is for files/u, /./u],
    ['-r', ['-', 's3://box/k', '-r'], /--recursive is for files/u, /./u],
    ['--include', ['-', 's3://box/k', '--include', '*.sql'], /--include is for files/u, /./u],
    ['--skip-unchanged', ['-', 's3://box/k', '--skip-unchanged', 'size'], /--skip-unchanged is for files/u, /./u],
    [
      '--max-failures',
      ['--from-command', 's3://box/k', '--max-failures', '1', '--', 'true'],
      /--max-failures is for files/u,
      /./u,
    ],
    ['--results on stdout', ['-', 's3://box/k', '--results', '-'], /"-" would be stdout/u, /Name a file or a pipe/u],
    ['a part size that the store does not take', ['-', 's3://box/k', '-p', '1M', '-n'], /part of 1 MiB/u, /./u],
    ['more than the store takes', ['-', 's3://box/k', '--expect-size', '100T', '-n'], /100 TiB is more/u, /./u],
    ['a key that is too long', ['-', `s3://box/${'k'.repeat(1025)}`], /of 1025 bytes/u, /./u],
  ]
  for (const [what, argv, words, suggestion] of refusals) {
    it(`refuses ${what}`, async () => {
      const {status, stdout, stderr} = await call(argv)
      expect(status, stderr).to.equal(2)
      expect(stdout).to.equal('')
      expect(stderr).to.match(words)
      expect(stderr).to.match(suggestion)
    })
  }

  it('prints the schedule and reads nothing for --dry-run', async () => {
    const {status, stdout, stderr} = await call(['-', 's3://box/dump.sql', '-n'])
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    const lines = stdout.trim().split('\n')
    expect(lines[0]).to.match(
      /^stdin -> s3:\/\/box\/dump\.sql {2}size not known, up to [\d.]+ TiB in at most [\d,]+ parts$/u,
    )
    expect(lines[1]).to.equal('  at first: parts of 16 MiB')
    expect(lines[2]).to.match(/^ {2}from part [\d,]+, at [\d.]+ GiB: parts of 32 MiB$/u)
  })

  it('gives the schedule as JSON, of a store that says its limits', async () => {
    const ending = await callSkylift(['upload', '-', 'sandbox://box/k', '-n', '--json'], home)
    const [plan] = readJson<PlanJson>(ending).plans
    expect(plan).to.include({source: '-', target: 'sandbox://box/k', partSize: 16 * MIB, count: 10_000})
    expect(plan?.reach).to.be.at.least(20 * TIB)
    expect(plan?.steps[0]).to.deep.equal({part: 1, offset: 0, partSize: 16 * MIB})
    expect(plan?.steps.at(-1)?.partSize).to.equal(5 * GIB)
    expect(plan).not.to.have.property('size')
  })

  it('plans what is expected as it plans a file, and runs no program for it', async () => {
    const argv = ['--from-command', 's3://box/k', '--expect-size', '40M', '-n', '--', 'no-such-program']
    const {status, stdout} = await call(argv)
    expect(status).to.equal(0)
    expect(stdout).to.equal('no-such-program -> s3://box/k  40 MiB, 3 parts of 16 MiB\n')
    const small = await call(['-', 's3://box/k', '--expect-size', '10', '-n'])
    expect(small.stdout).to.equal('stdin -> s3://box/k  10 B, whole\n')
  })

  it('tells of a store that wants equal parts how far it reaches', async () => {
    const env = {...home.env, AWS_ENDPOINT_URL: 'https://account.r2.cloudflarestorage.com'}
    const {status, stdout} = await callSkylift(['upload', '-', 's3://box/k', '-n'], {env})
    expect(status).to.equal(0)
    expect(stdout).to.equal(
      'stdin -> s3://box/k  size not known, up to 156 GiB in at most 10,000 parts\n  at first: parts of 16 MiB\n',
    )
  })
})
