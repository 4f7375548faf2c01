import {execFile} from 'node:child_process'
import {createHash, randomBytes} from 'node:crypto'
import {existsSync} from 'node:fs'
import {mkdir, readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {HeadObjectCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {internalError, slowDown} from '../support/fault-answers.ts'
import {slow, stall} from '../support/faults.ts'
import {BIN, readJson, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home, Running} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {SOON} from '../support/soon.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('stdin', function () {
  this.timeout(60_000)
  let arena: Arena
  let home: Home

  before(async () => {
    arena = await openArena()
  })
  beforeEach(async () => {
    home = await arena.makeHome()
  })
  afterEach(() => arena.proxy.clear())
  after(() => arena.close())

  const upload = (key: string, stdin: Uint8Array | 'open', ...flags: string[]): Running =>
    startSkylift(['upload', '-', `s3://${BUCKET}/${key}`, ...flags], {env: home.env, stdin})
  const head = (Key: string) => arena.client.send(new HeadObjectCommand({Bucket: BUCKET, Key}))

  async function expectNothing(key: string): Promise<void> {
    expect(await arena.hashStored(key)).to.equal(undefined)
    expect(await arena.listUploads()).to.deep.equal([])
  }

  it('becomes an object with the type of its key, small as it may be, in one PUT', async () => {
    const {status, stdout, stderr} = await upload('notes.json', Buffer.from('{}'), '-q').ended
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(stdout).to.match(/^s3:\/\/arena\/notes\.json {2}2 B/u)
    expect(await head('notes.json')).to.include({ContentType: 'application/json', ContentLength: 2})
    expect(arena.proxy.count('put')).to.equal(1)
    expect(arena.proxy.count('create')).to.equal(0)
  })

  it('makes an empty object of nothing, and says so', async () => {
    const {status, stderr} = await upload('empty.sql.gz', Buffer.alloc(0)).ended
    expect(status).to.equal(0)
    expect(stderr).to.include('stdin gave not a single byte')
    expect(await head('empty.sql.gz')).to.include({ContentLength: 0, ContentType: 'application/gzip'})
    const json = await upload('empty', Buffer.alloc(0), '--json', '-q').ended
    expect(readJson<{objects: {notes: string[]}[]}>(json).objects[0]?.notes).to.have.length(1)
  })

  for (const [where, flags] of [
    ['in memory', []],
    ['on disk', ['--memory', '0']],
  ] as const) {
    it(`goes in parts, each tried again where it must be, held ${where}; the bytes are the same`, async () => {
      const bytes = randomBytes(41 * MIB + 17)
      arena.proxy.inject({operation: 'part', fault: internalError(), times: 3, skip: 1})
      const {status, stdout, stderr} = await upload('big', bytes, '-p', '5M', '--json', '--progress', 'json', ...flags)
        .ended
      expect(status, stderr).to.equal(0)
      expect(stderr.match(/"event":"retry"/gu)).to.have.length(3)
      const [object] = readJson<{objects: {size: number; verifiedBy: string}[]}>({stdout}).objects
      expect(object).to.include({size: bytes.length, verifiedBy: 'crc32'})
      expect(await arena.hashStored('big')).to.equal(sha256(bytes))
      // TMPDIR is there.
      expect((await readdir(home.folder)).filter(name => name.startsWith('skylift-'))).to.deep.equal([])
    })
  }

  it('may be a file, or come through a pipe of the shell', async () => {
    const file = await arena.makeFile(6 * MIB)
    const script = `node ${BIN} upload - s3://${BUCKET}/file -q <${file} && cat ${file} | node ${BIN} upload - s3://${BUCKET}/pipe -q`
    await promisify(execFile)('sh', ['-c', script], {env: home.env})
    const sum = await hashPath(file)
    expect([await arena.hashStored('file'), await arena.hashStored('pipe')]).to.deep.equal([sum, sum])
  })

  it('has a line of results, as a file has', async () => {
    const results = join(home.folder, 'results.ndjson')
    const readLine = async (): Promise<unknown> => JSON.parse(await readFile(results, 'utf8')) as unknown
    const stored = await upload('told', Buffer.from('x'), '--results', results, '--link', '-q').ended
    const url = stored.stdout.trim().split('\n').at(-1)
    expect(await readLine()).to.include({status: 'stored', source: '-', key: 'told', size: 1, link: url})
    const failed = await upload('told', Buffer.from('x'), '--results', results, '--expect-size', '2').ended
    expect(failed.status).to.equal(7)
    expect(await readLine()).to.include({status: 'failed', source: '-', key: 'told', code: 'source-changed'})
    expect((await upload('untold', Buffer.from('x'), '--results', join(home.folder, 'no/r')).ended).status).to.equal(2)
    await expectNothing('untold')
  })

  it('fails where it is a folder, which gives no byte and is not empty', async () => {
    for (const words of ['-', '--from-file -']) {
      const script = `node ${BIN} upload ${words} s3://${BUCKET}/${words === '-' ? 'folder' : ''} <${home.folder}`
      const ending = await promisify(execFile)('sh', ['-c', script], {env: home.env}).catch(
        (error: unknown) => error as {stderr: string; code: number},
      )
      expect(ending, words).to.have.property('code')
      expect(ending.stderr).to.match(/cannot be read: EISDIR/u)
    }
    await expectNothing('folder')
  })

  it('is refused where a person would have to type it', async function () {
    const hasScript = await promisify(execFile)('script', ['--version']).then(
      () => true,
      () => false,
    )
    skipUnless(this, hasScript, 'script is missing (Debian: apt-get install bsdutils)')
    const command = `node ${BIN} upload - s3://${BUCKET}/typed`
    const {stdout} = await promisify(execFile)('script', ['-qec', command, '/dev/null'], {env: home.env}).catch(
      (error: unknown) => error as {stdout: string; code: number},
    )
    expect(stdout).to.include('stdin is a terminal')
    await expectNothing('typed')
  })

  it('may keep silent for longer than any wait of a connection, without a retry', async () => {
    const running = upload('silent', 'open', '-p', '5M', '--stall-timeout', '1s', '--progress', 'json')
    const bytes = randomBytes(12 * MIB)
    running.child.stdin?.write(bytes.subarray(0, 7 * MIB))
    await arena.proxy.until(() => arena.proxy.log.some(({operation, status}) => operation === 'part' && status === 200))
    await new Promise(resolve => setTimeout(resolve, 2500))
    running.child.stdin?.end(bytes.subarray(7 * MIB))
    const {status, stderr} = await running.ended
    expect(status, stderr).to.equal(0)
    expect(stderr).not.to.include('"retry"')
    expect(await arena.hashStored('silent')).to.equal(sha256(bytes))
  })

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`is aborted within a second of ${signal}, while parts are on their way, and says that nothing is left`, async () => {
      arena.proxy.inject({operation: 'part', fault: slow(MIB), times: Infinity})
      const running = upload('stopped', 'open', '-p', '5M')
      running.child.stdin?.write(randomBytes(30 * MIB))
      await arena.proxy.until(() => arena.proxy.count('part') >= 3)
      const started = performance.now()
      running.child.kill(signal)
      const ending = await running.ended
      expect(performance.now() - started).to.be.below(SOON)
      expect(ending.status).to.equal(status)
      expect(ending.stderr).to.match(/Nothing is left at the store: stdin cannot be read again/u)
      await expectNothing('stopped')
    })
  }

  it('is aborted while it waits for the first byte', async () => {
    const running = upload('waiting', 'open')
    await running.said(/size not known/u)
    running.child.kill('SIGINT')
    expect((await running.ended).status).to.equal(130)
    await expectNothing('waiting')
  })

  it('leaves an upload that pending lists, and nothing on disk, when it is killed', async () => {
    arena.proxy.inject({operation: 'part', fault: stall(), times: Infinity, skip: 1})
    const temp = join(home.folder, 'temp')
    await mkdir(temp)
    const running = startSkylift(['upload', '-', `s3://${BUCKET}/killed`, '-p', '5M', '--memory', '0'], {
      env: {...home.env, TMPDIR: temp},
      stdin: 'open',
    })
    running.child.stdin?.write(randomBytes(20 * MIB))
    await arena.proxy.until(() => arena.proxy.count('part') >= 2)
    running.child.kill('SIGKILL')
    expect((await running.ended).signal).to.equal('SIGKILL')
    arena.proxy.clear()
    expect(await readdir(temp)).to.deep.equal([])
    const listed = await runSkylift(['pending', 'list', `s3://${BUCKET}`, '--json'], home)
    expect(listed.stdout).to.include('killed')
    expect((await runSkylift(['pending', 'abort', `s3://${BUCKET}/killed`, '--yes'], home)).status).to.equal(0)
    await expectNothing('killed')
  })

  it('fails and stores nothing when it is not as long as was said', async () => {
    for (const [size, expected] of [
      [8 * MIB, '12M'],
      [13 * MIB, '12M'],
      [3, '4'],
    ] as const) {
      const {status, stderr} = await upload('cut', randomBytes(size), '-p', '5M', '--expect-size', expected).ended
      expect(status, stderr).to.equal(7)
      expect(stderr).to.include('--expect-size')
      await expectNothing('cut')
    }
    const right = await upload('right', randomBytes(12 * MIB), '-p', '5M', '--expect-size', '12M', '--json', '-q').ended
    expect(right.status, right.stderr).to.equal(0)
  })

  it('keeps the old object when the store refuses the new one', async () => {
    await upload('kept', Buffer.from('old'), '-q').ended
    arena.proxy.inject({operation: 'part', fault: slowDown(), times: Infinity})
    const {status} = await upload('kept', randomBytes(12 * MIB), '-p', '5M', '--retry-for', '1s').ended
    expect(status).to.equal(8)
    expect(await arena.hashStored('kept')).to.equal(sha256(Buffer.from('old')))
    expect(await arena.listUploads()).to.deep.equal([])
  })

  it('uploads with many connections without a warning of Node', async () => {
    arena.proxy.inject({operation: 'part', fault: slow(2 * MIB), times: Infinity})
    const {status, stderr} = await upload('many', randomBytes(100 * MIB), '-p', '5M', '-c', '20', '-q').ended
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    // It warns at the eleventh that listens to one thing.
    expect(arena.proxy.maxInFlight).to.be.above(11)
  })
})

describe('--from-command', () => {
  let arena: Arena
  let home: Home

  before(async () => {
    arena = await openArena()
  })
  beforeEach(async () => {
    home = await arena.makeHome()
  })
  afterEach(() => arena.proxy.clear())
  after(() => arena.close())

  const start = (key: string, flags: readonly string[], ...command: string[]): Running =>
    startSkylift(['upload', '--from-command', `s3://${BUCKET}/${key}`, ...flags, '--', ...command], {env: home.env})

  async function expectFailed({status, stderr}: Ending, key: string, words: RegExp, expected = 7): Promise<void> {
    expect(status, stderr).to.equal(expected)
    expect(stderr).to.match(words)
    expect(await arena.hashStored(key)).to.equal(undefined)
    expect(await arena.listUploads()).to.deep.equal([])
  }

  it('stores what a program writes, and passes on what it says', async () => {
    const file = await arena.makeFile(11 * MIB)
    const script = `echo working >&2; cat ${file}; echo ready >&2`
    const {status, stdout, stderr} = await start('dump.sql', ['-p', '5M'], 'sh', '-c', script).ended
    expect(status, stderr).to.equal(0)
    expect(stdout).to.include('11 MiB')
    expect(stderr).to.include('working\n').and.to.include('ready\n')
    expect(await arena.hashStored('dump.sql')).to.equal(await hashPath(file))
  })

  it('gives the words of the program to it alone: no shell, and flags of its own', async () => {
    const words = ['-r', '$HOME', '*', 'a b', 't', '-q', '-r', 't', '--', '--help', `s3://${BUCKET}/words`, '--']
    const {status, stderr} = await start('words', ['-q'], 'printf', '%s|', ...words).ended
    expect(status, stderr).to.equal(0)
    expect(await arena.hashStored('words')).to.equal(sha256(Buffer.from(`${words.join('|')}|`)))
  })

  for (const [what, script] of [
    ['at once', 'exit 3'],
    ['after a little', 'echo a; echo "out of luck" >&2; exit 3'],
    ['after many parts', 'head -c 12000000 /dev/zero; echo "out of luck" >&2; exit 3'],
    ['although another program keeps its stdout open', 'sleep 60 & head -c 12000000 /dev/zero; exit 3'],
  ] as const) {
    it(`stores nothing when the program fails ${what}`, async () => {
      const started = performance.now()
      const ending = await start('failed', ['-p', '5M'], 'sh', '-c', script).ended
      await expectFailed(ending, 'failed', /"sh" ended with status 3.*nothing was stored/u)
      if (script.includes('luck')) expect(ending.stderr).to.include('("out of luck")')
      expect(performance.now() - started).to.be.below(SOON)
      expect(arena.proxy.count('complete') + arena.proxy.count('put')).to.equal(0)
    })
  }

  it('stores nothing when the program is killed', async () => {
    const ending = await start('killed', ['-p', '5M'], 'sh', '-c', 'head -c 12000000 /dev/zero; kill -9 $$').ended
    await expectFailed(ending, 'killed', /"sh" ended by SIGKILL/u)
  })

  it('says that there is no such program, or that it may not be run', async () => {
    await expectFailed(
      await start('none', [], 'no-such-program').ended,
      'none',
      /There is no program "no-such-program"/u,
      5,
    )
    const file = await arena.makeFile(10)
    await expectFailed(await start('none', [], file).ended, 'none', /may not be run by you/u, 4)
  })

  it('repeats no word of the program: they may hold a secret', async () => {
    const {stderr, stdout} = await start('secret', ['--json'], 'sh', '-c', 'exit 1', '--password=hunter2').ended
    expect(stderr + stdout).not.to.include('hunter2')
    expect(readJson<{failures: {code: string}[]}>({stdout}).failures[0]?.code).to.equal('source-changed')
  })

  it('tells what the program says as notes where stderr is read by a program', async () => {
    const {status, stderr} = await start('notes', ['--progress', 'json'], 'sh', '-c', 'echo one >&2; echo x').ended
    expect(status).to.equal(0)
    const events = stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as {event: string; message?: string})
    expect(events.filter(({event}) => event === 'note').map(({message}) => message)).to.deep.equal(['one'])
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends the program within a second of ${signal}, and leaves nothing`, async () => {
      const mark = join(home.folder, `ended-${signal}`)
      const script = `trap ': >${mark}; exit 0' TERM; head -c 12000000 /dev/zero; while :; do sleep 0.05; done`
      const running = start('stopped', ['-p', '5M'], 'sh', '-c', script)
      await arena.proxy.until(() =>
        arena.proxy.log.some(({operation, status}) => operation === 'part' && status === 200),
      )
      const started = performance.now()
      running.child.kill(signal)
      const ending = await running.ended
      expect(performance.now() - started).to.be.below(SOON)
      await expectFailed(
        ending,
        'stopped',
        /Nothing is left at the store: "sh" cannot be read again/u,
        signal === 'SIGINT' ? 130 : 143,
      )
      expect(existsSync(mark)).to.equal(true)
    })
  }

  it('ends a program that does not listen, too', async () => {
    const pidFile = join(home.folder, 'pid')
    const script = `trap '' TERM INT; echo $$ > ${pidFile}; head -c 12000000 /dev/zero; while :; do sleep 0.05; done`
    const running = start('deaf', ['-p', '5M'], 'sh', '-c', script)
    await arena.proxy.until(() => arena.proxy.log.some(({operation, status}) => operation === 'part' && status === 200))
    running.child.kill('SIGTERM')
    await running.ended
    const pid = (await readFile(pidFile, 'utf8')).trim()
    // A SIGKILL takes a moment.
    while (existsSync(`/proc/${pid}/exe`) && (await isRunning(pid)))
      await new Promise(resolve => setTimeout(resolve, 20))
  })

  it('reads no further than its memory when the program is quick and the store is slow', async function () {
    skipUnless(this, process.platform === 'linux', 'needs /proc')
    arena.proxy.inject({operation: 'part', fault: slow(MIB), times: Infinity})
    const running = start('quick', ['-p', '5M', '-c', '2', '--memory', '16M'], 'cat', '/dev/zero')
    await arena.proxy.until(() => arena.proxy.count('part') >= 2)
    await new Promise(resolve => setTimeout(resolve, 1500))
    const status = await readFile(`/proc/${running.child.pid}/status`, 'utf8')
    expect(Number(/VmHWM:\s+(\d+)/u.exec(status)?.[1]) / 1024).to.be.below(160)
    running.child.kill('SIGINT')
    expect((await running.ended).status).to.equal(130)
  })

  async function isRunning(pid: string): Promise<boolean> {
    return readFile(`/proc/${pid}/stat`, 'utf8').then(
      text => !/\) [ZX]/u.test(text),
      () => false,
    )
  }
})
