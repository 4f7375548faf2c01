import {mkdtemp, readFile, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {parse} from 'content-disposition'
import {chooseLinkName} from '../../src/cli/link-name.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, callSkylift, makeHome, readJson, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {SOON} from '../support/soon.ts'

interface LinkJson {
  readonly ok: boolean
  readonly target: string
  readonly method: string
  readonly url: string
  readonly expires: string
  readonly notes: readonly string[]
  readonly check?: {
    readonly works: true
    readonly status: number
    readonly headers: Record<string, string>
    readonly filename?: string
  }
}

describe('skylift link', () => {
  let home: Home
  let client: S3Client

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    home = await makeHome(accessEnv(sandbox))
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    const Body = '%PDF'
    await client.send(new PutObjectCommand({Bucket: 'box', Key: 'a/report.pdf', Body, ContentType: 'application/pdf'}))
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(['link', ...argv], home)
  const make = async (...argv: string[]): Promise<LinkJson> => readJson<LinkJson>(await call(...argv, '--json'))

  it('prints the link alone on stdout, and everything else on stderr', async () => {
    const {status, stdout, stderr} = await call('s3://box/a/report.pdf', '-f', 'résumé, v2.pdf')
    expect(status).to.equal(0)
    expect(stdout).to.match(/^http:\/\/127\.0\.0\.1:\d+\/box\/a\/report\.pdf\?\S+\n$/u)
    expect(stderr).to.match(
      /^GET for s3:\/\/box\/a\/report\.pdf until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(in 1 h\)\.\n/u,
    )
    expect(stderr).to.include('Whoever holds this URL can download this object until it ends.')
    expect(stderr).not.to.match(/https?:|X-Amz/u)
    const answer = await fetch(stdout.trim())
    expect(answer.headers.get('content-disposition')).to.equal(
      `attachment; filename="r_sum_, v2.pdf"; filename*=UTF-8''r%C3%A9sum%C3%A9%2C%20v2.pdf`,
    )
    expect(await answer.text()).to.equal('%PDF')
  })

  const NAMES = [
    'plain.pdf',
    'a, b; c=d.pdf',
    `"quoted" 'single'.pdf`,
    "it's (1) *star*.pdf",
    '100% %41.pdf',
    'größe.pdf',
    '日本語.pdf',
    '👩‍👩‍👧.pdf',
    'עברית.pdf',
    'a\\b.pdf',
    '-x.pdf',
    `${'x'.repeat(251)}.pdf`,
  ]
  for (const name of NAMES) {
    it(`says ${JSON.stringify(name.slice(0, 40))} in the answer`, async () => {
      const {url} = await make('s3://box/a/report.pdf', `-f=${name}`)
      const header = (await fetch(url)).headers.get('content-disposition') ?? ''
      expect(header).to.match(/^[\u0020-\u007E]*$/u)
      expect(parse(header)).to.deep.include({type: 'attachment'})
      expect(parse(header).parameters['filename']).to.equal(name)
    })
  }

  it('takes the name of the object where none is given, shows instead of saving, and sets a type', async () => {
    const plain = await fetch((await make('s3://box/a/report.pdf')).url)
    expect(plain.headers.get('content-disposition')).to.equal('attachment; filename=report.pdf')
    const {url} = await make('s3://box/a/report.pdf', '--inline', '--content-type', 'text/plain')
    const shown = await fetch(url)
    expect(shown.headers.get('content-disposition')).to.equal('inline; filename=report.pdf')
    expect(shown.headers.get('content-type')).to.equal('text/plain')
  })

  it('warns of the extension trap, or mends it', async () => {
    const {notes} = await make('s3://box/a/report.pdf', '-f', 'summary')
    expect(notes.join(' ')).to.include('--keep-extension would add that')
    const mended = await make('s3://box/a/report.pdf', '-f', 'summary', '--keep-extension')
    expect(mended.notes.join(' ')).not.to.include('extension')
    expect((await fetch(mended.url)).headers.get('content-disposition')).to.equal('attachment; filename=summary.pdf')
  })

  it('tells beforehand what browsers will change', async () => {
    for (const [name, words] of [
      ['a/b.pdf', 'Browsers put "_" in place of / '],
      ['.hidden.pdf', 'a dot, a space or a tilde at the ends'],
      [`${'語'.repeat(90)}.pdf`, 'The file name has 274 bytes; browsers cut or refuse what is over 244.'],
      ['n\u0303.pdf', 'single characters (NFC)'],
      ['con.pdf', 'Windows has no files of this name'],
    ] as const) {
      expect((await make('s3://box/a/report.pdf', '-f', name)).notes.join('\n')).to.include(words)
    }
  })

  it('shows with --check what a browser will see', async () => {
    const {check} = await make('s3://box/a/report.pdf', '-f', 'résumé.pdf', '--check')
    expect(check).to.deep.include({works: true, status: 206, filename: 'résumé.pdf'})
    expect(check?.headers).to.include({
      'content-type': 'application/pdf',
      'content-length': '4',
      'content-disposition': `attachment; filename=r_sum_.pdf; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf`,
    })
    const {stderr} = await call('s3://box/a/report.pdf', '-f', 'résumé.pdf', '--check')
    expect(stderr).to.include('Checked (status 206)').and.to.include('  content-type: application/pdf\n')
    expect(stderr).to.include('The answer says to save it as "résumé.pdf".')
  })

  it('asks nothing of the network without --check, and fails with it where nothing stands', async () => {
    const lonely = {env: {...home.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1'}}
    expect((await callSkylift(['link', 's3://box/nothing.pdf'], lonely)).status).to.equal(0)
    const {status, stdout, stderr} = await call('s3://box/nothing.pdf', '--check')
    expect({status, stdout}).to.deep.equal({status: 5, stdout: ''})
    expect(stderr).to.match(/nothing stands there\.\n/u)
  })

  it('prints the plain URL with --public only where everybody can read', async () => {
    const closed = await call('s3://box/a/report.pdf', '--public')
    expect({status: closed.status, stdout: closed.stdout}).to.deep.equal({status: 4, stdout: ''})
    expect(closed.stderr).to.include('cannot be read without a signature.')
    await client.send(new CreateBucketCommand({Bucket: 'open'}))
    await client.send(new PutObjectCommand({Bucket: 'open', Key: 'a b.txt', Body: 'x'}))
    const Statement = [{Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::open/*'}]
    await client.send(
      new PutBucketPolicyCommand({Bucket: 'open', Policy: JSON.stringify({Version: '2012-10-17', Statement})}),
    )
    const {status, stdout} = await call('s3://open/a b.txt', '--public')
    expect(status).to.equal(0)
    expect(stdout).to.match(/\/open\/a%20b\.txt\n$/u)
    expect(await (await fetch(stdout.trim())).text()).to.equal('x')
    const both = await call('s3://open/a b.txt', '--public', '-f', 'x')
    expect(both.status).to.equal(2)
    expect(both.stderr).to.include('--public and --filename do not go together')
  })

  it('lasts as long as was asked for, and then says that it has ended', async () => {
    const short = await make('s3://box/a/report.pdf', '--expires', '10')
    expect((await fetch(short.url)).status).to.equal(200)
    while (Date.now() < Date.parse(short.expires) + 1000) await new Promise(resolve => setTimeout(resolve, 100))
    const answer = await fetch(short.url)
    expect(answer.status).to.equal(403)
    expect(await answer.text()).to.include('Request has expired')
    const long = await make('s3://box/a/report.pdf', '--expires', '7d')
    expect(long.url).to.include('X-Amz-Expires=604800')
  })

  const REFUSED: readonly (readonly [argv: readonly string[], words: RegExp])[] = [
    [['s3://box'], /names a container, and an object is wanted/u],
    [['s3://box/'], /names a container/u],
    [['box/a'], /is not a target/u],
    [['https://example.com/x'], /is a URL, and/u],
    [['s3://box/k', '-f', ''], /is not a name for a file/u],
    [['s3://box/k', '-f', '..'], /is not a name for a file/u],
    [['s3://box/k', '-f', 'a\nb'], /control characters/u],
    [['s3://box/k', '-f', 'a\u0000b'], /control characters/u],
    [['s3://box/k', '-f', 'a\u009Fb'], /control characters/u],
    [['s3://box/k', '--content-type', 'text/plain\r\nx: y'], /must be printable ASCII/u],
    [['s3://box/k', '--expires', '8d'], /7 d at most/u],
    [['s3://box/k', '--expires', '0'], /is not a duration/u],
    [['s3://box/k', '--expires', 'soon'], /is not a duration/u],
    [['s3://box/k', '--expires', '2020-01-01'], /is over/u],
    [['s3://box/k', '--expires', '2030-02-31'], /is not a date/u],
    [['s3://box/k', '--expires', '2099-01-01T00:00:00Z'], /7 d at most/u],
    [['s3://box/k', '--expires', '0.5'], /at least one second/u],
    [[], /Missing 1 required arg/u],
    [['s3://box/k', '--nonsense'], /Nonexistent flag/u],
    [['s3://box/k', 'more'], /Unexpected argument/u],
  ]
  for (const [argv, words] of REFUSED) {
    it(`refuses ${JSON.stringify(argv)}`, async () => {
      const {status, stdout, stderr} = await call(...argv)
      expect({status, stdout}).to.deep.equal({status: 2, stdout: ''})
      expect(stderr).to.match(words)
      const json = await call(...argv, '--json')
      expect(readJson<{ok: boolean; failures: {code: string}[]}>(json)).to.deep.include({ok: false})
      expect(readJson<{ok: boolean; failures: {code: string}[]}>(json).failures[0]?.code).to.be.oneOf([
        'usage',
        'config',
      ])
    })
  }

  it('takes what can be had with --allow-shorter, and says so', async () => {
    const {url, notes} = await make('s3://box/a/report.pdf', '--expires', '30d', '--allow-shorter')
    expect(url).to.include('X-Amz-Expires=604800')
    expect(notes).to.include('A temp URL of S3 lasts 7 d at most.')
  })

  it('knows that credentials end earlier than was asked', async () => {
    const folder = await mkdtemp(join(home.folder, 'aws-'))
    const end = new Date(Date.now() + 600_000).toISOString()
    const answer = {
      Version: 1,
      AccessKeyId: 'AKIDTEMPORARY',
      SecretAccessKey: 'not-a-secret',
      SessionToken: 'token',
      Expiration: end,
    }
    await writeFile(join(folder, 'answer.json'), JSON.stringify(answer))
    await writeFile(
      join(folder, 'config'),
      `[profile short]\ncredential_process = cat ${join(folder, 'answer.json')}\n`,
    )
    const {AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...rest} = home.env
    const env = {...rest, AWS_CONFIG_FILE: join(folder, 'config'), AWS_PROFILE: 'short'}
    const refused = await runSkylift(['link', 's3://box/k', '--expires', '1h'], {env})
    expect(refused.status).to.equal(2)
    expect(refused.stderr).to.match(/These credentials end in (?:10 min|9 min \d+ s)/u)
    const taken = await runSkylift(['link', 's3://box/k', '--expires', '1h', '--allow-shorter', '--json'], {env})
    const {url, expires} = readJson<LinkJson>(taken)
    expect(Date.parse(expires)).to.be.at.most(Date.parse(end))
    expect(new URL(url).searchParams.get('X-Amz-Security-Token')).to.equal('token')
    expect(await readFile(join(folder, 'config'), 'utf8')).to.include('credential_process')
  })

  it('knows so from the environment, too, where the keys are temporary', async () => {
    const end = new Date(Date.now() + 600_000).toISOString()
    const env = {...home.env, AWS_CREDENTIAL_EXPIRATION: end}
    const argv = ['link', 's3://box/k', '--expires', '1h']
    expect((await callSkylift(argv, {env})).status).to.equal(0)
    const refused = await callSkylift(argv, {env: {...env, AWS_SESSION_TOKEN: 'token'}})
    expect(refused.status).to.equal(2)
    expect(refused.stderr).to.match(/These credentials end in (?:10 min|9 min \d+ s)/u)
    const over = {...env, AWS_SESSION_TOKEN: 'token', AWS_CREDENTIAL_EXPIRATION: new Date(0).toISOString()}
    expect((await callSkylift(argv, {env: over})).status).to.equal(4)
  })

  it('ends at once on Ctrl-C, whatever the store does', async () => {
    const silent = createServer()
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const {port} = silent.address() as AddressInfo
    const asked = new Promise<void>(resolve => silent.once('request', () => resolve()))
    const env = {...home.env, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`}
    const running = startSkylift(['link', 's3://box/k', '--check'], {env})
    await asked
    const started = performance.now()
    running.child.kill('SIGINT')
    const {status, stdout, stderr} = await running.ended
    expect({status, stdout}).to.deep.equal({status: 130, stdout: ''})
    expect(stderr).to.match(/^Interrupted\.\n/u)
    expect(performance.now() - started).to.be.below(SOON)
    silent.closeAllConnections()
    silent.close()
  })

  it('tells nothing of a signature with -v', async () => {
    const {status, stderr} = await call('s3://box/a/report.pdf', '--check', '-v')
    expect(status).to.equal(0)
    expect(stderr).to.match(/^GET 127\.0\.0\.1:\d+\/box\/a\/report\.pdf 206 \d+ ms/mu)
    expect(stderr).not.to.match(/X-Amz|signature|response-content/iu)
  })
})

describe('skylift upload --link', () => {
  let home: Home
  let file: string

  before(async () => {
    const sandbox = await openSandbox()
    await openClient(sandbox).send(new CreateBucketCommand({Bucket: 'box'}))
    home = await makeHome(accessEnv(sandbox))
    file = join(home.folder, 'report.pdf')
    await writeFile(file, 'bytes')
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(['upload', ...argv, '-q'], home)

  it('prints a link straight after the upload, which saves under the name that was asked for', async () => {
    const {status, stdout, stderr} = await call(file, 's3://box/3f2a.pdf', '--link', '--filename', 'résumé, v2.pdf')
    expect(status).to.equal(0)
    const [result, url = '', ...rest] = stdout.split('\n')
    expect(result).to.match(/^s3:\/\/box\/3f2a\.pdf {2}5 B/u)
    expect(rest).to.deep.equal([''])
    expect(stderr).to.include('Whoever holds this URL can download this object until it ends.')
    const answer = await fetch(url)
    expect(answer.headers.get('content-disposition')).to.include("filename*=UTF-8''r%C3%A9sum%C3%A9%2C%20v2.pdf")
    expect(await answer.text()).to.equal('bytes')
  })

  it('prints one for each of several, and all in one document', async () => {
    const other = join(home.folder, 'other.txt')
    await writeFile(other, 'other')
    const {stdout} = await call(file, other, 's3://box/several/', '--link')
    const urls = stdout.split('\n').filter(line => line.startsWith('http'))
    expect(await Promise.all(urls.map(async url => (await fetch(url)).text()))).to.deep.equal(['bytes', 'other'])
    const json = readJson<{objects: unknown[]; links: LinkJson[]}>(await call(file, 's3://box/', '--link', '--json'))
    expect(json.objects).to.have.length(1)
    expect(json.links.map(({target}) => target)).to.deep.equal(['s3://box/report.pdf'])
    expect(await (await fetch(json.links[0]?.url ?? '')).text()).to.equal('bytes')
  })

  it('makes none when it was not asked, or nothing was uploaded', async () => {
    expect(readJson(await call(file, 's3://box/', '--json'))).not.to.have.property('links')
    const failed = await call(file, 's3://nowhere-to-be-found/', '--link')
    expect(failed).to.include({status: 5, stdout: ''})
    expect((await call(file, 's3://box/', '--link', '-n')).stdout).not.to.include('http')
  })

  it('refuses a name without a link, for several files, or that no file can have', async () => {
    const names: readonly (readonly [argv: readonly string[], words: RegExp])[] = [
      [[file, 's3://box/', '--filename', 'x'], /--link/u],
      [[file, file, 's3://box/', '--link', '--filename', 'x'], /--filename is for one file/u],
      [[file, 's3://box/never', '--link', '--filename', 'a\nb'], /control characters/u],
      [[file, 's3://box/never', '--link', '--filename', '..'], /is not a name for a file/u],
    ]
    for (const [argv, words] of names) {
      const {status, stderr} = await call(...argv)
      expect(status).to.equal(2)
      expect(stderr).to.match(words)
    }
    // What can be known beforehand is said before anything is sent.
    expect((await callSkylift(['link', 's3://box/never', '--check'], home)).status).to.equal(5)
  })
})

describe('the extension trap', () => {
  const ROWS: readonly (readonly [key: string, name: string, kept: string, isWarned: boolean])[] = [
    ['a/x.pdf', 'report', 'report.pdf', true],
    ['a/x.pdf', 'report.pdf', 'report.pdf', false],
    ['a/x.pdf', 'report.PDF', 'report.PDF', false],
    ['a/x.pdf', 'report.txt', 'report.txt.pdf', true],
    ['a/x.pdf', 'report v2.1', 'report v2.1.pdf', true],
    ['x.tar.gz', 'backup', 'backup.tar.gz', true],
    ['x.tar.gz', 'backup.tar', 'backup.tar.gz', true],
    ['x.tar.gz', 'backup.tar.gz', 'backup.tar.gz', false],
    ['x.7z', 'backup', 'backup.7z', true],
    ['no-extension', 'anything.txt', 'anything.txt', false],
    ['a.b/no-extension', 'anything', 'anything', false],
    ['.profile', 'profile', 'profile', false],
    ['2026-01.02', 'x', 'x', false],
    ['folder.d/', 'x', 'x', false],
  ]
  for (const [key, name, kept, isWarned] of ROWS) {
    it(`${name} for ${key}`, () => {
      const target = {remote: 's3', container: 'c', key}
      expect(chooseLinkName(name, target, false).notes.length > 0).to.equal(isWarned)
      expect(chooseLinkName(name, target, true)).to.deep.equal({filename: kept, notes: []})
    })
  }
})
