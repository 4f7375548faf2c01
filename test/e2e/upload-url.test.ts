import {randomBytes} from 'node:crypto'
import {chmod, mkdir, readdir, readFile, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift, startSwift} from '../servers/swift.ts'
import {signIn, listNames, makeContainer, openForeign} from '../stores/swift/foreign-swift.ts'
import {openSwift} from '../stores/swift/open-swift.ts'
import {BUCKET, hashPath, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {reset} from '../support/faults.ts'
import {slowDown} from '../support/fault-answers.ts'
import {makeHome, readJson, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'

const MIB = 1024 * 1024
/** What of a URL or form lets somebody use it. */
const SECRET = /(?:signature|_sig|credential|access_?key_?id|policy)$/iu

function secretsOf(text: string): string[] {
  const given = text.startsWith('{')
    ? (JSON.parse(text) as {url: string; fields?: Record<string, string>})
    : {url: text}
  const pairs = [...new URL(given.url).searchParams, ...Object.entries(given.fields ?? {})]
  return pairs.filter(([name]) => SECRET.test(name)).map(([, value]) => value)
}

/** Every file under a folder, as one text. */
async function readAll(folder: string): Promise<string> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true})
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return (await Promise.all(files.map(file => readFile(file, 'latin1')))).join('\n')
}

interface UploadedJson {
  readonly ok: boolean
  readonly objects: readonly {readonly target: string; readonly size: number; readonly verifiedBy: string}[]
  readonly failures?: readonly {readonly code: string; readonly message: string}[]
}

describe('skylift upload to a URL', () => {
  let arena: Arena
  /** Of somebody without credentials. */
  let home: Home
  let owner: Home
  let small: string
  let big: string

  before(async () => {
    arena = await openArena()
    owner = await arena.makeHome()
    home = await makeHome()
    small = join(home.folder, 'small file.txt')
    await writeFile(small, 'small')
    big = await arena.makeFile(20 * MIB)
  })
  afterEach(() => arena.proxy.clear())
  after(() => arena.close())

  async function make(key: string, ...more: string[]): Promise<string> {
    const {status, stdout, stderr} = await runSkylift(['temp-url', `s3://${BUCKET}/${key}`, ...more], owner)
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }

  /** Runs it without credentials; wherever its output goes, nothing of the URL that could be used is in it. */
  async function send(
    given: string,
    argv: readonly string[],
    options: {env?: Env; stdin?: Uint8Array} = {},
  ): Promise<Ending> {
    const {env = home.env, stdin} = options
    const ending = await runSkylift(['upload', ...argv], {env, ...(stdin === undefined ? {} : {stdin})})
    const kept = await readAll(home.stateFolder).catch(() => '')
    for (const secret of secretsOf(given)) expect(ending.stdout + ending.stderr + kept).not.to.contain(secret)
    return ending
  }

  it('needs nothing else, says first what it is good for, and verifies', async () => {
    const url = await make('one', '-X', 'PUT', '--expires', '2h')
    const {status, stdout, stderr} = await send(url, [big, url])
    expect({status, stdout}).to.deep.include({status: 0})
    const [first = '', ...rest] = stderr.split('\n')
    expect(first).to.match(
      /^Upload to http:\/\/127\.0\.0\.1:\d+\/arena\/one by a presigned URL \(S3\), until 20\d\d-[\d :-]+ UTC \(in (?:2 h|1 h 59 min)\)\. In one request: an upload that is cut starts over\.$/u,
    )
    expect(rest.join('\n')).to.match(/file-\d: 20 MiB to http.*arena\/one\n/u)
    expect(stdout).to.match(/^http:\/\/127\.0\.0\.1:\d+\/arena\/one {2}20 MiB .* md5 [\da-f]{32}\n$/u)
    expect(await arena.hashStored('one')).to.equal(await hashPath(big))
  })

  for (const more of [['--json'], ['--progress', 'json'], ['--debug'], ['-q'], ['--dry-run']]) {
    it(`tells no signature with ${more.join(' ')}`, async () => {
      const url = await make('modes', '-X', 'PUT')
      const ending = await send(url, [small, url, ...more])
      expect(ending.status).to.equal(0)
      if (more[0] === '--json') {
        const {ok, objects} = readJson<UploadedJson>(ending)
        expect(ok).to.equal(true)
        expect(objects[0]?.target).to.equal(`${arena.proxy.endpoint}/arena/modes`)
      }
      if (more[1] === 'json') for (const line of ending.stderr.trim().split('\n')) JSON.parse(line)
      if (more[0] === '-q') expect(ending.stderr).to.equal('')
    })

    it(`tells none when it fails with ${more.join(' ')}`, async () => {
      const url = (await make('modes', '-X', 'PUT')).replace('/modes?', '/other?')
      const ending = await send(url, [small, url, ...more])
      expect(ending.status).to.equal(more[0] === '--dry-run' ? 0 : 4)
    })
  }

  it('is not to be seen in the list of processes', async () => {
    const url = await make('title', '-X', 'PUT')
    const running = startSkylift(['upload', '-', url], {env: home.env, stdin: 'open'})
    await running.said(/Upload to/u)
    const cmdline = await readFile(`/proc/${running.child.pid}/cmdline`, 'latin1')
    expect(cmdline).to.match(/^skylift upload - http:\/\/127\.0\.0\.1:\d+\/arena\/title\?/u)
    for (const secret of secretsOf(url)) expect(cmdline).not.to.contain(secret)
    running.child.stdin?.end('from stdin')
    expect((await running.ended).status).to.equal(0)
  })

  it('comes from a file or from stdin, as a URL or as what temp-url --json prints', async () => {
    const url = await make('filed', '-X', 'PUT')
    const json = await make('filed', '-X', 'PUT', '--content-type', 'x/y', '-m', 'who=me', '--json')
    for (const text of [url, `${url}\n`, json]) {
      const file = join(home.folder, 'url.txt')
      await writeFile(file, text)
      expect((await send(text.trim(), [small, '--url-file', file])).status).to.equal(0)
      const piped = await send(text.trim(), [small, '--url-file', '-'], {stdin: Buffer.from(text)})
      expect(piped.status).to.equal(0)
      const stream = await send(text.trim(), ['-', '--url-file', file, '-q'], {stdin: Buffer.from('streamed')})
      expect({status: stream.status, stderr: stream.stderr}).to.deep.equal({status: 0, stderr: ''})
      const command = await send(text.trim(), ['--from-command', '--url-file', file, '--', 'printf', 'made'])
      expect(command.status).to.equal(0)
    }
  })

  it('goes by a form, whose size is checked before anything is sent', async () => {
    const file = join(home.folder, 'form.json')
    const form = await make('form', '--max-size', '1M', '--json')
    await writeFile(file, form)
    const {status, stderr} = await send(form, [small, '--post', file])
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/by a form \(S3 POST policy\), until .*; at most 1 MiB\./u)
    expect(await arena.hashStored('form')).to.equal(await hashPath(small))
    const before = arena.proxy.log.length
    const large = await send(form, [big, '--post', file])
    expect(large.status).to.equal(2)
    expect(large.stderr).to.contain('The form takes at most 1 MiB, and this is 20 MiB.')
    expect(arena.proxy.log.length).to.equal(before)
  })

  it('is sent again whole after a cut and after a busy store', async () => {
    const url = await make('again', '-X', 'PUT')
    arena.proxy.inject({operation: 'put', fault: reset('body', 3 * MIB)})
    arena.proxy.inject({operation: 'put', fault: slowDown()})
    const ending = await send(url, [big, url, '--json'])
    expect(ending.status, ending.stderr).to.equal(0)
    expect(arena.proxy.count('put')).to.equal(3)
    expect(await arena.hashStored('again')).to.equal(await hashPath(big))
  })

  it('has ended: nothing is asked of the network', async () => {
    const url = await make('late', '-X', 'PUT', '--expires', '1')
    await new Promise(resolve => setTimeout(resolve, 1100))
    const before = arena.proxy.log.length
    const {status, stderr} = await send(url, [small, url])
    expect(status).to.equal(4)
    expect(stderr).to.match(/^The URL has expired: it ended .* ago, at .*Z\.\n {2}Ask whoever made it for a new one\./u)
    expect(arena.proxy.log.length).to.equal(before)
  })

  it('is too small for a file of 6 GiB, and names tickets before the first byte', async () => {
    const huge = join(home.folder, 'huge')
    await writeFile(huge, '')
    await truncate(huge, 6 * 1024 * MIB)
    const url = await make('huge', '-X', 'PUT')
    const before = arena.proxy.log.length
    const {status, stderr} = await send(url, [huge, url])
    expect(status).to.equal(2)
    expect(stderr).to.contain('6 GiB is more than the 5 GiB of one PUT here.')
    expect(stderr).to.contain('skylift ticket create')
    expect(arena.proxy.log.length).to.equal(before)
  })

  for (const [title, words, message] of [
    ['several files', ['SMALL', 'BIG', 'URL'], 'Several files cannot all become "http'],
    ['a link', ['SMALL', 'URL', '--link'], 'it can make no --link'],
    ['metadata that is not signed', ['SMALL', 'URL', '-m', 'a=b'], 'not signed for the header x-amz-meta-a'],
    ['--no-clobber', ['SMALL', 'URL', '--no-clobber'], 'whether this store honours --no-clobber'],
    ['--engine sdk', ['SMALL', 'URL', '--engine', 'sdk'], 'The AWS SDK cannot send by a URL'],
    ['--resume store', ['SMALL', 'URL', '--resume', 'store'], 'nothing to go on with'],
    ['--skip-unchanged', ['SMALL', 'URL', '--skip-unchanged'], '--skip-unchanged'],
    ['the URL first', ['URL', 'SMALL'], 'The last word must be a target'],
    ['a URL and no file', ['URL'], 'Which file should go to "http'],
    ['two URLs', ['URL', 'URL'], 'only the last word may be one'],
    ['a URL and a file for it', ['SMALL', 'URL', '--url-file', 'SMALL'], 'says where it goes, and so does "http'],
    ['a URL in place of its file', ['SMALL', '--url-file', 'URL'], 'wants the name of a file'],
    ['a form that is none', ['SMALL', '--post', 'SMALL'], '--post wants a form'],
    ['a file that is not there', ['SMALL', '--url-file', 'nope'], 'there is none'],
    ['what a shell leaves', ['SMALL', 'CUT'], 'The URL is cut off'],
  ] as const) {
    it(`refuses ${title} with a word, before anything is sent`, async () => {
      const url = await make('refused', '-X', 'PUT')
      const before = arena.proxy.log.length
      const known: Record<string, string> = {SMALL: small, BIG: big, URL: url, CUT: url.replace(/&.*/u, '')}
      const {status, stderr, stdout} = await send(
        url,
        words.map(word => known[word] ?? word),
      )
      expect({status, stdout}, stderr).to.deep.equal({status: 2, stdout: ''})
      expect(stderr).to.contain(message)
      expect(arena.proxy.log.length).to.equal(before)
    })
  }

  it('is taken by no other command, and told by none', async () => {
    const url = await make('others', '-X', 'PUT')
    for (const argv of [
      ['verify', small, url],
      ['link', url],
      ['temp-url', url],
      ['container', 'show', url],
    ]) {
      const {status, stdout, stderr} = await runSkylift(argv, home)
      expect(status).to.equal(2)
      expect(stderr).to.match(/is a URL, and a target is wanted/u)
      for (const secret of secretsOf(url)) expect(stdout + stderr).not.to.contain(secret)
    }
  })

  it('does not read a file of URLs that it may not read', async function () {
    if (process.getuid?.() !== 0) this.skip()
    const file = join(home.folder, 'closed.txt')
    await writeFile(file, await make('closed', '-X', 'PUT'))
    await chmod(file, 0o600)
    const through = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const {status, stderr} = await runSkylift(['upload', small, '--url-file', file], {env: home.env, through})
    expect(status).to.equal(2)
    expect(stderr).to.contain('you may not read it')
  })

  describe('of OpenStack Swift', function () {
    this.timeout(120_000)
    let names: () => Promise<string[]>
    let read: ReturnType<typeof openForeign>['read']
    let sign: (key: string, isPrefix?: boolean) => Promise<string>

    before(async function () {
      needSwift(this)
      const {v1} = await startSwift()
      const account = await signIn(v1)
      await makeContainer(account, 'by url')
      names = () => listNames(account, 'by url')
      read = key => openForeign(account, 'by url').read(key)
      const opened = await openSwift({auth: {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key}})
      const call = {signal: new AbortController().signal}
      await opened.store.setTempUrlKey({remote: 'test', container: '', key: ''}, 'key', 'sixteen letters.', call)
      sign = async (key, isPrefix = false) => {
        const target = {remote: 'test', container: 'by url', key}
        return (await opened.store.tempUrl(target, {method: 'PUT', expiresIn: 600_000, isPrefix}, call)).url
      }
    })

    it('takes one object, with its type and metadata', async () => {
      const url = await sign('one.txt')
      const ending = await send(url, [small, url, '-m', 'who=me', '--json'])
      expect(ending.status, ending.stderr).to.equal(0)
      expect(readJson<UploadedJson>(ending).objects[0]?.verifiedBy).to.equal('md5')
      const stored = await read('one.txt')
      expect(stored).to.deep.include({contentType: 'text/plain', metadata: {who: 'me'}})
      expect(String(stored?.bytes)).to.equal('small')
    })

    it('takes several files under a prefix, by their own names', async () => {
      for (const prefix of ['in/', 'scan-']) {
        const url = await sign(prefix, true)
        const {status, stderr} = await send(url, [small, big, url])
        expect(status, stderr).to.equal(0)
        expect(stderr).to.match(/^Upload under http.* for all keys that start so, until/u)
        expect(await names()).to.include.members([`${prefix}small file.txt`])
        const stored = await read(`${prefix}${big.replace(/.*\//u, '')}`)
        expect(stored?.bytes.length).to.equal(20 * MIB)
      }
    })

    it('takes a folder under a prefix', async () => {
      const folder = join(home.folder, 'folder')
      await mkdir(join(folder, 'deep er'), {recursive: true})
      await writeFile(join(folder, 'a'), 'a')
      await writeFile(join(folder, 'deep er', 'ü?'), 'b')
      const url = await sign('tree/', true)
      const {status, stderr} = await send(url, ['-r', folder, url])
      expect(status, stderr).to.equal(0)
      const under = (await names()).filter(name => name.startsWith('tree/'))
      expect(under.toSorted()).to.deep.equal(['tree/a', 'tree/deep er/ü?'])
    })

    it('keeps what is there with --no-clobber', async () => {
      const url = await sign('kept')
      expect((await send(url, [small, url, '--no-clobber'])).status).to.equal(0)
      const other = join(home.folder, 'other')
      await writeFile(other, randomBytes(10))
      expect((await send(url, [other, url, '--no-clobber'])).status).to.equal(6)
      expect(String((await read('kept'))?.bytes)).to.equal('small')
    })

    it('tells a URL that was changed', async () => {
      const url = (await sign('mine')).replace('/mine?', '/other?')
      const {status, stderr} = await send(url, [small, url])
      expect(status).to.equal(4)
      expect(stderr).to.contain('The store does not accept the URL: it was changed or cut off')
      expect(await names()).not.to.include('other')
    })
  })
})
