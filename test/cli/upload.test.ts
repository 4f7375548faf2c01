import {execFile} from 'node:child_process'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {basename, join} from 'node:path'
import {promisify} from 'node:util'
import {CreateBucketCommand, GetObjectCommand, GetObjectTaggingCommand, HeadObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {describeStored} from '../../src/cli/upload-words.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, BIN, callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

const MIB = 1024 * 1024

interface StoredJson {
  readonly ok: boolean
  readonly objects: readonly {
    readonly target: string
    readonly container: string
    readonly key: string
    readonly size: number
    readonly etag: string
    readonly crc32?: string
    readonly verifiedBy: string
    readonly elapsed: number
  }[]
}

describe('skylift upload', () => {
  let home: Home
  let client: S3Client
  let small: string
  let big: string

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    home = await makeHome(accessEnv(sandbox))
    small = join(home.folder, 'small.txt')
    big = join(home.folder, 'big.bin')
    await writeFile(small, 'small')
    await makeRandomFile(big, 20 * MIB)
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(['upload', ...argv], home)
  const read = async (Key: string): Promise<Buffer> => {
    const {Body} = await client.send(new GetObjectCommand({Bucket: 'box', Key}))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }
  const isMissing = async (Key: string): Promise<boolean> =>
    client.send(new HeadObjectCommand({Bucket: 'box', Key})).then(
      () => false,
      (error: Error) => error.name === 'NotFound',
    )

  it('waits longer than a timer can where that is wished, and says nothing of it', async () => {
    const flags = ['--connect-timeout', '60d', '--stall-timeout', '9999999d', '--retry-for', '60d', '-q']
    const {status, stderr} = await runSkylift(['upload', small, big, 's3://box/patient/', ...flags], home)
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
  })

  it('tells no ETag as an MD5 that is none', () => {
    const target = {remote: 's3', container: 'box', key: 'k'}
    for (const [etag, words] of [
      [`${'0a'.repeat(16)}-3`, `md5 of every part  etag ${'0a'.repeat(16)}-3`],
      // Swift's, and S3's with a KMS key.
      ['0a'.repeat(16), `md5 of every part  etag ${'0a'.repeat(16)}`],
      ['0x8DB', 'md5 of every part'],
    ] as const) {
      expect(describeStored({target, size: 1, etag, verified: {by: 'md5'}}, 1)).to.match(new RegExp(`  ${words}$`, 'u'))
    }
  })

  it('tells target, size, time, rate and checksum of a file in one line', async () => {
    const {status, stdout, stderr} = await call(small, 's3://box/words.txt', '-q')
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(stdout).to.match(
      /^s3:\/\/box\/words\.txt {2}5 B {2}\S+ m?s {2}\S+ [KMG]?i?B\/s {2}(crc32|md5) [\da-f]{8,32}\n$/u,
    )
    expect((await read('words.txt')).toString()).to.equal('small')
  })

  it('tells the progress in lines where there is no terminal, each with the name', async () => {
    const {status, stdout, stderr} = await call(big, 's3://box/lines.bin')
    expect(status).to.equal(0)
    expect(stdout.split('\n')).to.have.length(2)
    expect(stderr).to.match(/big\.bin: 20 MiB in 2 parts to s3:\/\/box\/lines\.bin\n/u)
    expect(stderr).to.match(/big\.bin: done, 20 MiB in /u)
    expect((await read('lines.bin')).equals(await readFile(big))).to.equal(true)
  })

  it('is also called up', async () => {
    expect((await callSkylift(['up', small, 's3://box/up', '-q'], home)).status).to.equal(0)
    expect((await read('up')).toString()).to.equal('small')
  })

  for (const [what, target, key] of [
    ['no key', 's3://box', 'small.txt'],
    ['a slash behind the container', 's3://box/', 'small.txt'],
    ['a key that ends in a slash', 's3://box/a/b/', 'a/b/small.txt'],
    ['a key that begins with a slash', 's3://box//lead', '/lead'],
  ] as const) {
    it(`gives the file its own name, or the key that is named: ${what}`, async () => {
      const {objects} = readJson<StoredJson>(await call(small, target, '--json', '-q'))
      expect(objects.map(each => each.key)).to.deep.equal([key])
      expect((await read(key)).toString()).to.equal('small')
    })
  }

  it('uploads several files, and an empty one', async () => {
    const empty = join(home.folder, 'empty')
    await writeFile(empty, '')
    const {status, stdout} = await call(small, empty, big, 's3://box/several/', '-q')
    expect(status).to.equal(0)
    expect(stdout.trimEnd().split('\n')).to.have.length(3)
    expect(await read('several/empty')).to.have.length(0)
    expect((await read('several/big.bin')).equals(await readFile(big))).to.equal(true)
  })

  it('with --json writes one document: what was stored and how it was verified', async () => {
    const ending = await call(small, big, 's3://box/json/', '--json', '-p', '5M')
    const {ok, objects} = readJson<StoredJson>(ending)
    expect(ok).to.equal(true)
    const [one, two] = [...objects].toSorted((a, b) => a.size - b.size)
    expect(one).to.include({target: 's3://box/json/small.txt', container: 'box', key: 'json/small.txt', size: 5})
    expect(two).to.include({target: 's3://box/json/big.bin', size: 20 * MIB})
    expect(two?.etag).to.match(/^[\da-f]{32}-4$/u)
    for (const each of objects) {
      expect(each.verifiedBy).to.be.oneOf(['crc32', 'md5'])
      expect(each.elapsed).to.be.a('number')
      if (each.verifiedBy === 'crc32') expect(each.crc32).to.match(/^[\da-f]{8}$/u)
    }
  })

  it('with --progress json writes NDJSON and nothing else to stderr', async () => {
    const {stdout, stderr, status} = await call(small, big, 's3://box/nd/', '--progress', 'json', '--json')
    expect(status).to.equal(0)
    expect((JSON.parse(stdout) as StoredJson).ok).to.equal(true)
    const events = stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    for (const {v, time, id} of events) {
      expect(v).to.equal(1)
      expect(new Date(String(time)).toISOString()).to.equal(time)
      expect(id).to.be.oneOf([1, 2])
    }
    const names = events.map(({event}) => event)
    expect(names).to.include.members(['start', 'stored', 'finishing', 'done'])
    expect(names.filter(each => each === 'done')).to.have.length(2)
  })

  it('with -v writes a line for every request, masked, and the result as always', async () => {
    const {stdout, stderr} = await call(big, 's3://box/debug.bin', '-q', '-v')
    const lines = stderr.trimEnd().split('\n')
    expect(lines.filter(line => line.startsWith('PUT '))).to.have.length(2)
    for (const line of lines) {
      expect(line).to.match(
        /^(?:GET|HEAD|PUT|POST|DELETE) 127\.0\.0\.1:\d+\/box\/debug\.bin \d{3} \d+ ms [\dA-F]{16}$/u,
      )
    }
    expect(stdout).to.match(/^s3:\/\/box\/debug\.bin /u)
  })

  it('with --dry-run prints the plan and asks nobody', async () => {
    const env = {...home.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1'}
    const {status, stdout, stderr} = await callSkylift(['upload', small, big, 's3://box/dry/', '-n', '-p', '5M'], {env})
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(stdout).to.equal(
      `${small} -> s3://box/dry/small.txt  5 B, whole\n${big} -> s3://box/dry/big.bin  20 MiB, 4 parts of 5 MiB\n`,
    )
    const json = readJson(await callSkylift(['upload', big, 's3://box/dry', '-n', '--json'], {env}))
    expect(json).to.deep.equal({
      ok: true,
      dryRun: true,
      plans: [{source: big, target: 's3://box/dry', size: 20 * MIB, partSize: 16 * MIB, count: 2}],
    })
    expect(await isMissing('dry/small.txt')).to.equal(true)
  })

  it('hands over everything that an object can carry', async () => {
    const flags = [
      ['--content-type', 'text/x-own; charset=utf-8'],
      ['--cache-control', 'max-age=60'],
      ['--content-disposition', 'attachment; filename="a b.txt"'],
      ['--content-encoding', 'identity'],
      ['-m', 'colour=blue'],
      ['--metadata', 'equation=a=b+c'],
      ['--metadata', 'empty='],
      ['--tag', 'team=upload & co'],
      ['--tag', 'umlaut=ä'],
    ].flat()
    for (const [file, key] of [
      [small, 'carry-whole'],
      [big, 'carry-parts'],
    ] as const) {
      expect((await call(...flags, file, `s3://box/${key}`, '-q')).status).to.equal(0)
      const head = await client.send(new HeadObjectCommand({Bucket: 'box', Key: key}))
      expect(head.ContentType).to.equal('text/x-own; charset=utf-8')
      expect(head.CacheControl).to.equal('max-age=60')
      expect(head.ContentDisposition).to.equal('attachment; filename="a b.txt"')
      expect(head.ContentEncoding).to.equal('identity')
      expect(head.Metadata).to.deep.equal({colour: 'blue', equation: 'a=b+c', empty: ''})
      const {TagSet} = await client.send(new GetObjectTaggingCommand({Bucket: 'box', Key: key}))
      const tags = Object.fromEntries((TagSet ?? []).map(({Key = '', Value}) => [Key, Value]))
      expect(tags).to.deep.equal({team: 'upload & co', umlaut: 'ä'})
    }
  })

  it('guesses the content type, of names without one too', async () => {
    const folder = join(home.folder, 'types')
    await mkdir(folder)
    const types = {
      'a.html': 'text/html',
      'b.PDF': 'application/pdf',
      'c.ts': 'text/plain',
      'd.parquet': 'application/vnd.apache.parquet',
      README: 'application/octet-stream',
      '.gitignore': 'application/octet-stream',
      'a.constructor': 'application/octet-stream',
      'b.css/NOTES': 'application/octet-stream',
      'b.css/c.svg': 'image/svg+xml',
    }
    await mkdir(join(folder, 'b.css'))
    const files = Object.keys(types).map(name => join(folder, name))
    await Promise.all(files.map(file => writeFile(file, 'x')))
    await call(...files, 's3://box/types/', '-q')
    for (const [name, type] of Object.entries(types)) {
      const {ContentType} = await client.send(new HeadObjectCommand({Bucket: 'box', Key: `types/${basename(name)}`}))
      expect(ContentType, name).to.equal(type)
    }
  })

  it('takes flags before, between and behind the words; a repeated one swallows none of them', async () => {
    const other = join(home.folder, 'other')
    await writeFile(other, 'other')
    for (const argv of [
      ['--metadata', 'a=b', '--metadata', 'c=d', small, other, 's3://box/order/'],
      [small, '-m', 'a=b', other, '-m', 'c=d', 's3://box/order/'],
      [small, other, 's3://box/order/', '-ma=b', '--metadata=c=d'],
    ]) {
      const {objects} = readJson<StoredJson>(await call(...argv, '--json', '-q'))
      expect(objects.map(({key}) => key).toSorted()).to.deep.equal(['order/other', 'order/small.txt'])
      const {Metadata} = await client.send(new HeadObjectCommand({Bucket: 'box', Key: 'order/other'}))
      expect(Metadata).to.deep.equal({a: 'b', c: 'd'})
    }
  })

  it('uploads a file whose name begins with a dash, behind --', async () => {
    await writeFile(join(home.folder, '-n'), 'dash')
    const {status} = await runSkylift(['upload', '-q', '--', '-n', 's3://box/dash/'], {...home, cwd: home.folder})
    expect(status).to.equal(0)
    expect((await read('dash/-n')).toString()).to.equal('dash')
  })

  it('reads its settings from SKYLIFT_PART_SIZE, SKYLIFT_PROGRESS and SKYLIFT_ENDPOINT_URL', async () => {
    const {AWS_ENDPOINT_URL = '', ...others} = home.env
    const env = {...others, SKYLIFT_ENDPOINT_URL: AWS_ENDPOINT_URL, SKYLIFT_PART_SIZE: '5M', SKYLIFT_PROGRESS: 'none'}
    const ending = await callSkylift(['upload', big, 's3://box/env', '--json'], {env})
    expect(ending.stderr).to.equal('')
    expect(readJson<StoredJson>(ending).objects[0]?.etag).to.match(/-4$/u)
  })

  it('leaves stdin alone, whatever words are missing', async () => {
    for (const argv of [['upload'], ['upload', 's3://box/k'], ['upload', small], ['sandbox', '--stop'], []]) {
      const script = 'head -c 3000000 /dev/zero | { "$@" >/dev/null 2>&1; wc -c; }'
      const {stdout} = await promisify(execFile)('sh', ['-c', script, 'sh', process.execPath, BIN, ...argv], {
        env: home.env,
      })
      expect(Number(stdout), argv.join(' ')).to.equal(3_000_000)
    }
  })

  it('with --engine sdk stores the same bytes, whole and in parts', async () => {
    const {status, stdout} = await call(small, big, 's3://box/sdk/', '--engine', 'sdk', '-q', '-m', 'a=b')
    expect(status).to.equal(0)
    expect(stdout).to.match(/sdk\/big\.bin {2}20 MiB {2}.* {2}md5 /u)
    expect((await read('sdk/small.txt')).toString()).to.equal('small')
    expect((await read('sdk/big.bin')).equals(await readFile(big))).to.equal(true)
    const {Metadata} = await client.send(new HeadObjectCommand({Bucket: 'box', Key: 'sdk/big.bin'}))
    expect(Metadata).to.deep.equal({a: 'b'})
  })

  it('prints escapes for what a name could do to a terminal, and stores it as it is', async () => {
    const name = 'a\u001B[31m\u0007\u009B2J\u202Eb\n.txt'
    const path = join(home.folder, name)
    await writeFile(path, 'odd')
    for (const flags of [
      ['--progress', 'lines'],
      ['--progress', 'json'],
      ['--json'],
      ['-n'],
      ['-n', '--json'],
      ['-v'],
    ]) {
      const {stdout, stderr, status} = await call(path, 's3://box/odd/', ...flags)
      expect(status).to.equal(0)
      // oxlint-disable-next-line no-control-regex
      expect(stdout + stderr, flags.join(' ')).not.to.match(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/u)
    }
    expect((await read(`odd/${name}`)).toString()).to.equal('odd')
  })
})
