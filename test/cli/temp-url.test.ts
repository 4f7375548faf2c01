import {execFile} from 'node:child_process'
import {createHash} from 'node:crypto'
import {mkdtemp, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {describeEnd, parseExpiry} from '../../src/cli/expiry.ts'
import {quoteCommand} from '../../src/cli/shell-words.ts'
import {formatDuration} from '../../src/core/durations.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, callSkylift, endSandboxes, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home, S3Access} from '../support/run-skylift.ts'

const run = promisify(execFile)
const HOUR = 3_600_000

interface TempUrlJson {
  readonly target: string
  readonly key: string
  readonly method: string
  readonly url: string
  readonly expires: string
  readonly headers: Record<string, string>
  readonly fields?: Record<string, string>
  readonly curl: string
  readonly notes: readonly string[]
  readonly check?: {readonly works: true | null; readonly notes: readonly string[]}
}

/** Runs a printed command as a person would who pasted it. */
async function paste(command: string, cwd: string): Promise<{stdout: string; failed: boolean; stderr: string}> {
  try {
    return {...(await run('bash', ['-c', command], {cwd})), failed: false}
  } catch (error) {
    const {stdout = '', stderr = ''} = error as {stdout?: string; stderr?: string}
    return {stdout, stderr, failed: true}
  }
}

function describeTempUrls(name: string, open: (context: Mocha.Context) => Promise<S3Access>): void {
  describe(`skylift temp-url: ${name}`, () => {
    let home: Home
    let client: S3Client
    let folder: string

    before(async function () {
      this.timeout(120_000)
      const access = await open(this)
      client = openClient({...access, port: 0})
      home = await makeHome(accessEnv(access))
      folder = await mkdtemp(join(home.folder, 'work-'))
      await writeFile(join(folder, 'FILE'), 'twelve bytes')
      await client.send(new CreateBucketCommand({Bucket: 'urls'})).catch((error: Error) => {
        if (error.name !== 'BucketAlreadyOwnedByYou') throw error
      })
    })
    after(closeAll)

    const call = (...argv: string[]): Promise<Ending> => callSkylift(['temp-url', ...argv], home)
    const make = async (...argv: string[]): Promise<TempUrlJson> => readJson<TempUrlJson>(await call(...argv, '--json'))
    const put = (Key: string, Body: string) => client.send(new PutObjectCommand({Bucket: 'urls', Key, Body}))
    const read = async (Key: string): Promise<string> => {
      const {Body} = await client.send(new GetObjectCommand({Bucket: 'urls', Key}))
      return (await Body?.transformToString()) ?? ''
    }

    it('gives a GET that reads and can do nothing else', async () => {
      await put('mine', 'mine')
      const {status, stdout, stderr} = await call('s3://urls/mine')
      expect(status).to.equal(0)
      expect(stderr).to.match(/^GET for s3:\/\/urls\/mine until .+ \(in 1 h\)\.\nWhoever holds this URL can download/u)
      const url = stdout.trim()
      expect(await (await fetch(url)).text()).to.equal('mine')
      expect((await fetch(url, {method: 'PUT', body: 'theirs'})).status).to.equal(403)
      expect((await fetch(url, {method: 'DELETE'})).status).to.equal(403)
      expect((await fetch(url.replace('/mine?', '/other?'))).status).to.equal(403)
      expect(
        (
          await fetch(
            url.replace(/(Signature=)(.)/u, (_, word: string, digit: string) => word + (digit === '0' ? '1' : '0')),
          )
        ).status,
      ).to.equal(403)
      expect(await read('mine')).to.equal('mine')
    })

    it('names the headers that must be sent, byte by byte', async () => {
      const md5 = createHash('md5').update('twelve bytes').digest('base64')
      const words = ['-X', 'PUT', '--content-type', 'text/x-test', '--content-length', '12', '--content-md5', md5]
      const {stderr} = await call('s3://urls/exact', ...words, '-m', 'Who=Zoë', '-m', 'why=a b')
      expect(stderr).to.include(`Exactly these headers must be sent with it:
  content-type: text/x-test
  content-length: 12
  content-md5: ${md5}
  x-amz-meta-who: =?UTF-8?B?Wm/Dqw==?=
  x-amz-meta-why: a b
`)
      const {url, headers} = await make('s3://urls/exact', ...words, '-m', 'Who=Zoë', '-m', 'why=a b')
      expect(
        (await fetch(url, {method: 'PUT', body: 'twelve bytes', headers: {...headers, 'content-type': 'text/html'}}))
          .status,
      ).to.equal(403)
      expect((await fetch(url, {method: 'PUT', body: 'twelve bytes', headers})).status).to.equal(200)
      expect(await read('exact')).to.equal('twelve bytes')
    })

    const CURLS: readonly (readonly [what: string, key: string, argv: readonly string[]])[] = [
      ['a plain upload', 'up.bin', []],
      [
        'odd headers',
        'up2.bin',
        ['--content-type', 'text/x-it\'s; a="b" $HOME `id`', '-m', 'why=100% \'quoted\' "$(id)" \\'],
      ],
      ['an odd key', "it's 100% [odd] {a,b} $HOME & `id` ?#.bin", []],
      ['a key that ends in a slash', 'folder/', []],
      ['a key with dots', 'a/../b/./c', []],
      ['a fixed length', 'up3.bin', ['--content-length', '12']],
      ['a random key', '', ['--random-key']],
    ]
    for (const [what, key, argv] of CURLS) {
      it(`prints a curl command that works: ${what}`, async () => {
        const {stdout, status} = await call(`s3://urls/${key}`, '-X', 'PUT', '--curl', ...argv)
        expect(status).to.equal(0)
        expect(await paste(stdout, folder)).to.include({failed: false})
        if (key !== '') expect(await read(key)).to.equal('twelve bytes')
      })
    }

    it('prints curl commands to fetch, to look and to delete', async () => {
      await put("fetch/it's.txt", 'fetched')
      const target = "s3://urls/fetch/it's.txt"
      expect((await paste((await make(target)).curl, folder)).failed).to.equal(false)
      expect(await readFile(join(folder, "it's.txt"), 'utf8')).to.equal('fetched')
      const head = await paste((await make(target, '-X', 'HEAD')).curl, folder)
      expect(head.stdout).to.match(/content-length: 7/iu)
      expect((await paste((await make(target, '-X', 'DELETE')).curl, folder)).failed).to.equal(false)
      expect((await paste((await make(target)).curl, folder)).failed).to.equal(true)
    })

    it('makes a random key under the target, never the same', async () => {
      const [a, b] = [
        await make('s3://urls/in/box', '-X', 'PUT', '--random-key'),
        await make('s3://urls/in/box', '-X', 'PUT', '--random-key'),
      ]
      expect(a.key).to.match(/^in\/box\/[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/u)
      expect(a.key).not.to.equal(b.key)
      expect((await make('s3://urls', '-X', 'PUT', '--random-key')).key).to.match(/^[\da-f-]{36}$/u)
      expect((await fetch(a.url, {method: 'PUT', body: 'x'})).status).to.equal(200)
      expect(await read(a.key)).to.equal('x')
    })

    it('checks a URL without changing anything', async () => {
      await put('there', 'there')
      const get = await make('s3://urls/there', '--check')
      expect(get.check?.works).to.equal(true)
      const before = await client.send(new ListObjectsV2Command({Bucket: 'urls'}))
      const write = await make('s3://urls/not-there-yet', '-X', 'PUT', '--check')
      expect(write.check?.works).to.equal(true)
      const over = await make('s3://urls/there', '-X', 'PUT', '--check')
      expect(over.check?.works).to.equal(true)
      const after = await client.send(new ListObjectsV2Command({Bucket: 'urls'}))
      expect(after.Contents?.map(each => [each.Key, each.ETag])).to.deep.equal(
        before.Contents?.map(each => [each.Key, each.ETag]),
      )
      expect(await read('there')).to.equal('there')
      expect((await call('s3://urls/missing', '--check')).status).to.equal(5)
      const remove = await make('s3://urls/there', '-X', 'DELETE', '--check')
      expect(remove.check).to.deep.include({works: null})
      expect(remove.check?.notes[0]).to.match(/was not tried/u)
    })

    it('is called presign too', async () => {
      const {stdout, status} = await callSkylift(['presign', 's3://urls/mine'], home)
      expect(status).to.equal(0)
      expect(stdout).to.match(/^http:\S+X-Amz-Signature=[\da-f]{64}\S*\n$/u)
    })
  })
}

describeTempUrls('the sandbox', async () => openSandbox())
describeTempUrls("Swift's S3 API", async context => {
  needSwift(context)
  return (await startSwift()).s3
})

describe('skylift temp-url', () => {
  let home: Home
  let folder: string
  let client: S3Client

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    home = await makeHome(accessEnv(sandbox))
    folder = await mkdtemp(join(home.folder, 'work-'))
    await writeFile(join(folder, 'FILE'), 'twelve bytes')
    await client.send(new CreateBucketCommand({Bucket: 'urls'}))
    await client.send(new PutObjectCommand({Bucket: 'urls', Key: 'taken', Body: 'taken'}))
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(['temp-url', ...argv], home)
  const make = async (...argv: string[]): Promise<TempUrlJson> => readJson<TempUrlJson>(await call(...argv, '--json'))

  it('writes once: the second PUT, and one over what stands there, fail with 412', async () => {
    const once = await make('s3://urls/once', '-X', 'PUT', '--write-once')
    expect(once.headers).to.deep.equal({'if-none-match': '*'})
    expect(once.notes[0]).to.include('but replace none')
    const use = async ({url, headers}: TempUrlJson): Promise<number> =>
      (await fetch(url, {method: 'PUT', headers, body: 'x'})).status
    expect([await use(once), await use(once)]).to.deep.equal([200, 412])
    expect(await use(await make('s3://urls/taken', '-X', 'PUT', '--write-once'))).to.equal(412)
    // Without the header it is another request than was signed.
    expect((await fetch(once.url, {method: 'PUT', body: 'y'})).status).to.equal(403)
    const {stdout} = await call('s3://urls/once-by-curl', '-X', 'PUT', '--write-once', '--curl')
    expect((await paste(stdout, folder)).failed).to.equal(false)
    const again = await paste(stdout, folder)
    expect(again.failed).to.equal(true)
    expect(again.stdout).to.include('PreconditionFailed')
  })

  it('makes a form that takes no larger body', async () => {
    const {stdout, stderr} = await call('s3://urls/form/a b.txt', '--max-size', '12', '--content-type', 'text/plain')
    const form = readJson<{url: string; fields: Record<string, string>}>({stdout})
    expect(Object.keys(form)).to.deep.equal(['url', 'fields'])
    expect(Object.keys(form.fields)).to.deep.equal([
      'key',
      'Content-Type',
      'x-amz-algorithm',
      'x-amz-credential',
      'x-amz-date',
      'policy',
      'x-amz-signature',
    ])
    expect(stderr).to.match(/^A form \(POST\) for s3:\/\/urls\/form\/a b\.txt until/u)
    const send = async (body: string): Promise<number> => {
      const data = new FormData()
      for (const [name, value] of Object.entries(form.fields)) data.append(name, value)
      data.append('file', new Blob([body]))
      return (await fetch(form.url, {method: 'POST', body: data})).status
    }
    expect(await send('thirteen byte')).to.equal(400)
    expect(await send('twelve bytes')).to.equal(204)
    const {Body, ContentType} = await client.send(new GetObjectCommand({Bucket: 'urls', Key: 'form/a b.txt'}))
    expect([await Body?.transformToString(), ContentType]).to.deep.equal(['twelve bytes', 'text/plain'])
  })

  it('prints a curl command for a form, whatever its fields hold', async () => {
    const odd = '@FILE;type=text/html <x> "$(id)" \'y\''
    const words = ['--max-size', '1k', '-m', `why=${odd}`, '--content-type', 'text/x;type=y', '--curl']
    const {stdout} = await call('s3://urls/@FILE;filename=x', ...words)
    expect(stdout)
      .to.include(' --form-string ')
      .and.to.match(/-F file=@FILE /u)
    expect(await paste(stdout, folder)).to.include({failed: false})
    const found = await client.send(new GetObjectCommand({Bucket: 'urls', Key: '@FILE;filename=x'}))
    expect([found.Metadata, found.ContentType]).to.deep.equal([{why: odd}, 'text/x;type=y'])
    await writeFile(join(folder, 'large'), Buffer.alloc(1025))
    expect((await paste(stdout.replace('@FILE ', '@large '), folder)).stdout).to.include('EntityTooLarge')
  })

  it('takes a date, and seconds', async () => {
    const date = new Date(Date.now() + 2 * HOUR).toISOString()
    expect(Math.abs(Date.parse((await make('s3://urls/k', '--expires', date)).expires) - Date.parse(date))).to.be.below(
      3000,
    )
    expect((await make('s3://urls/k', '--expires', '90')).url).to.include('X-Amz-Expires=90&')
    expect((await make('s3://urls/k')).url).to.include('X-Amz-Expires=3600&')
  })

  it('makes the container of a sandbox where an upload will need it', async () => {
    after(endSandboxes)
    const {stdout, status} = await callSkylift(['temp-url', 'sandbox://new-box/k', '-X', 'PUT'], home)
    expect(status).to.equal(0)
    expect((await fetch(stdout.trim(), {method: 'PUT', body: 'x'})).status).to.equal(200)
    const link = await callSkylift(['link', 'sandbox://new-box/k'], home)
    expect(await (await fetch(link.stdout.trim())).text()).to.equal('x')
  })

  it('signs without network', async () => {
    const env = {...home.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1'}
    for (const argv of [
      ['-X', 'PUT'],
      ['-X', 'HEAD'],
      ['-X', 'DELETE'],
      ['--max-size', '1M'],
    ]) {
      expect((await callSkylift(['temp-url', 's3://urls/k', ...argv], {env})).status).to.equal(0)
    }
  })

  const REFUSED: readonly (readonly [argv: readonly string[], words: RegExp, status?: number])[] = [
    [['s3://urls/k', '-X', 'PATCH'], /Expected --method=PATCH to be one of: GET, PUT, HEAD, POST, DELETE/u],
    [['s3://urls'], /names a container, and an object is wanted/u],
    [['s3://urls/k', '--random-key'], /--random-key is for an upload/u],
    [['s3://urls/k', '--random-key', '-X', 'DELETE'], /--random-key is for an upload/u],
    [['s3://urls/k', '--content-type', 'text/plain'], /belong to an upload, not to GET/u],
    [['s3://urls/k', '--write-once'], /belong to an upload/u],
    [['s3://urls/k', '-X', 'HEAD', '-m', 'a=b'], /belong to an upload/u],
    [['s3://urls/k', '-X', 'GET', '--max-size', '1M'], /belong to an upload/u],
    [['s3://urls/k', '-X', 'PUT', '--content-length', 'many'], /is not a size/u],
    [['s3://urls/k', '-X', 'PUT', '--max-size', '-1'], /expects a value|is not a size/u],
    [['s3://urls/k', '-X', 'PUT', '--content-md5', 'abc'], /not 16 bytes in base64/u],
    [['s3://urls/k', '-X', 'PUT', '--content-type', 'größe'], /must be printable ASCII/u],
    [['s3://urls/k', '-X', 'PUT', '-m', 'a b=c'], /is not a name for metadata/u],
    [['s3://urls/k', '-X', 'PUT', '-m', 'novalue'], /is not of the form name=value/u],
    [['s3://urls/k', '--max-size', '1M', '--content-md5', 'XrY7u+Ae7tCTyyK7j1rNww=='], /cannot fix the MD5/u],
    [['s3://urls/k', '--max-size', '1M', '--write-once'], /no form that can be used only once/u],
    [['s3://urls/k', '--max-size', '1', '--content-length', '2'], /above the largest size/u],
    [['s3://urls/a${filename}', '--max-size', '1'], /is replaced by the name of the file/u],
    [['s3://urls/k', '--expires', '-5'], /expects a value|is not a duration/u],
    [['s3://urls/k', '--expires', '2026-13-01'], /is not a date/u],
    [['s3://urls/k', '--expires', '7d1s'], /7 d at most/u],
    [['s3://', '-X', 'PUT', '--random-key'], /names no container/u],
  ]
  for (const [argv, words, wanted = 2] of REFUSED) {
    it(`refuses ${JSON.stringify(argv)}`, async () => {
      const {status, stdout, stderr} = await call(...argv)
      expect({status, stdout}).to.deep.equal({status: wanted, stdout: ''})
      expect(stderr).to.match(words)
    })
  }
})

describe('an expiry', () => {
  const now = Date.UTC(2026, 0, 31, 12)
  const ROWS: readonly (readonly [text: string, ms: number])[] = [
    ['90', 90_000],
    ['1h30m', 5_400_000],
    ['7d', 7 * 24 * HOUR],
    ['2026-02-01', 12 * HOUR],
    ['2026-01-31T13:00Z', HOUR],
    ['2026-01-31 13:00:00z', HOUR],
    ['2026-01-31T12:00:00.5Z', 500],
    ['2026-01-31T14:00+01:00', HOUR],
    ['2026-01-31T08:00-0500', HOUR],
    ['2028-02-29', Date.UTC(2028, 1, 29) - now],
  ]
  for (const [text, ms] of ROWS) it(`reads ${text}`, () => expect(parseExpiry(text, now)).to.equal(ms))

  it('reads a time without a zone as this machine does', () => {
    expect(parseExpiry('2026-06-01T12:00', now)).to.equal(new Date(2026, 5, 1, 12).getTime() - now)
  })

  for (const text of [
    '2026-01-31',
    '2026-01-31T12:00Z',
    '2025-02-29',
    '2027-02-29',
    '2026-04-31',
    '2026-1-1',
    '2026-02-01T25:00',
    '2026-02-01T12',
    '',
    '-1',
    '2026',
  ]) {
    if (text === '2026') continue
    it(`refuses "${text}"`, () =>
      expect(() => parseExpiry(text, now))
        .to.throw()
        .with.property('code', 'usage'))
  }

  it('is told in UTC and in words', () => {
    expect(describeEnd(new Date(now + HOUR), formatDuration, now)).to.equal('2026-01-31 13:00:00 UTC (in 1 h)')
  })
})

describe('words for a shell', () => {
  it('come through bash as they are', async () => {
    const words = [
      'plain',
      '',
      ' ',
      "it's",
      '"$HOME"',
      '`id`',
      '$(id)',
      'a\\b',
      '*?[x]',
      '{a,b}',
      '~',
      '!!',
      '#x',
      '-n',
      'ü 😀',
      "a'\nb\t\\",
      '\u001B[2J\u009B',
      "\u202Ex'",
    ]
    const {stdout} = await run('bash', ['-c', quoteCommand(['printf', '%s\\0', ...words])], {
      env: {...process.env, LC_ALL: 'C.UTF-8'},
    })
    expect(stdout.split('\0').slice(0, -1)).to.deep.equal(words)
    // oxlint-disable-next-line no-control-regex
    expect(quoteCommand(words)).not.to.match(/[\u0000-\u001F\u007F-\u009F\u202E]/u)
  })
})
