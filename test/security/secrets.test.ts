import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {findSandbox} from '../../src/sandbox/find-sandbox.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, endSandboxes, makeHome, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Home, RunOptions} from '../support/run-skylift.ts'
import {checkCommandLine, checkOutput, checkSecrets, checkStateFolder, checkWritten} from '../support/secrets.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const SECRET = 'wJalr/XUtn+"FEMI'
const ENV = {
  AWS_SECRET_ACCESS_KEY: SECRET,
  AWS_SESSION_TOKEN: 'session-token',
  ST_KEY: 'the-st-key',
  OS_PASSWORD: 'the-password',
  OS_APPLICATION_CREDENTIAL_SECRET: 'the-credential',
  OS_TEMP_URL_KEY: 'the-temp-url-key',
  RACKSPACE_API_KEY: 'the-api-key',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
}
const SIGNATURE = 'ab'.repeat(32)

describe('the scan for secrets, which runs over every end-to-end test', () => {
  function refuses(said: {stdout?: string; stderr?: string}, argv: readonly string[] = ['upload']): void {
    const scan = (): void => checkOutput({stdout: '', stderr: '', ...said}, ENV, argv)
    expect(scan, JSON.stringify(said)).to.throw(/^A (?:secret|signature) is in /u)
  }

  for (const [name, value] of Object.entries(ENV).filter(([each]) => each !== 'AWS_ACCESS_KEY_ID')) {
    it(`finds ${name} on stdout and on stderr`, () => {
      refuses({stdout: `key: ${value}.`})
      refuses({stderr: `${value}\n`})
      refuses({stderr: `url?x=${encodeURIComponent(value)}&y`})
      refuses({stdout: JSON.stringify({value})})
      refuses({stdout: `Basic ${Buffer.from(value).toString('base64')}`})
    })
  }

  it('finds signatures where none was asked for', () => {
    refuses({stdout: `https://h/k?X-Amz-Signature=${SIGNATURE}`})
    refuses({stdout: `https://h/k?temp_url_sig=${SIGNATURE}&temp_url_expires=1`})
    refuses({stderr: `https://h/k?X-Amz-Signature=${SIGNATURE}`}, ['link'])
    refuses({stderr: `AWS4-HMAC-SHA256 Credential=AKID/x`})
    refuses({stdout: `{"x-amz-signature": "${SIGNATURE}"}`})
    refuses({stderr: 'x-auth-token: gAAAA'})
  })

  it('lets pass what is no secret, or was asked for', () => {
    checkOutput({stdout: `https://h/k?X-Amz-Signature=${SIGNATURE}`, stderr: ''}, ENV, ['link', 's3://c/k'])
    checkOutput({stdout: 'AKIDEXAMPLE, the-passwords, signature', stderr: ''}, ENV, ['doctor'])
  })

  it('finds both in the state folder, however deep', async () => {
    const folder = await makeTempFolder()
    await mkdir(join(folder, 'uploads'))
    const file = join(folder, 'uploads', 'x.ndjson')
    for (const [text, isLeak] of [
      ['{"uploadId":"u"}', false],
      [JSON.stringify({secret: SECRET}), true],
      [`{"url":"https://h/k?X-Amz-Signature=${SIGNATURE}"}`, true],
    ] as const) {
      await writeFile(file, text)
      const scans = [
        () => checkStateFolder({...ENV, SKYLIFT_STATE_DIR: folder}, ['upload']),
        () => checkStateFolder(ENV, ['upload', '--state-dir', folder]),
      ]
      for (const scan of scans) {
        if (isLeak) expect(scan, text).to.throw(/x\.ndjson/u)
        else scan()
      }
    }
  })

  it('finds secrets in what a command wrote for others, and lets their signatures pass', async () => {
    const folder = await makeTempFolder()
    for (const flag of ['-o', '--output', '--receipt', '--results']) {
      const scan = (): void => checkWritten(ENV, ['upload', flag, 'written'], folder)
      await writeFile(join(folder, 'written'), `{"url":"https://h/k?X-Amz-Signature=${SIGNATURE}"}`)
      scan()
      await writeFile(join(folder, 'written'), JSON.stringify({secret: SECRET}))
      expect(scan, flag).to.throw('A secret is in written')
    }
    const summary = {...ENV, GITHUB_STEP_SUMMARY: join(folder, 'written')}
    expect(() => checkWritten(summary, ['upload'], folder)).to.throw('A secret is in')
  })

  it('finds both in the words of a process', async function () {
    skipUnless(this, process.platform === 'linux', 'The words of other processes stand in /proc, which only Linux has')
    for (const word of [SECRET, `https://h/k?temp_url_sig=${SIGNATURE}`]) {
      const child = spawn(process.execPath, ['-e', 'console.log(1); setTimeout(() => {}, 60000)', word])
      await once(child.stdout, 'data')
      expect(() => checkCommandLine(child.pid, ENV)).to.throw('the command line')
      child.kill()
      await once(child, 'close')
    }
  })

  describe('when something leaks', () => {
    let home: Home
    before(async () => {
      home = await makeHome({AWS_SECRET_ACCESS_KEY: SECRET, AWS_ACCESS_KEY_ID: 'AKID', AWS_REGION: 'us-east-1'})
    })

    /** A shell that gives a secret away before it becomes the command. */
    const leaking = (script: string): RunOptions => ({
      env: home.env,
      through: ['sh', '-c', `${script}; exec "$@"`, 'sh'],
    })
    for (const [where, script] of [
      ['stdout', 'echo "$AWS_SECRET_ACCESS_KEY"'],
      ['stderr', 'echo "$AWS_SECRET_ACCESS_KEY" >&2'],
      ['state/leak', 'mkdir -p "$SKYLIFT_STATE_DIR"; echo "$AWS_SECRET_ACCESS_KEY" >"$SKYLIFT_STATE_DIR/leak"'],
      // It stays for a while after it has begun to speak.
      ['the command line', `exec sh -c 'echo; sleep 3; :' sh "$AWS_SECRET_ACCESS_KEY"`],
    ] as const) {
      it(`in ${where}, the test that ran it fails`, async () => {
        const error = await runSkylift(['help'], leaking(script)).then(
          () => undefined,
          (thrown: unknown) => thrown as Error,
        )
        expect(error?.message).to.match(new RegExp(`^A secret is in (?:\\S*/)?${where}: `, 'u'))
      })
    }
  })
})

describe('what other processes can see', function () {
  this.timeout(60_000)
  let home: Home

  before(async () => {
    const sandbox = await openSandbox()
    await openClient(sandbox).send(new CreateBucketCommand({Bucket: 'box'}))
    home = await makeHome(accessEnv(sandbox))
    await writeFile(join(home.folder, 'file'), 'x')
  })
  after(async () => {
    await closeAll()
    await endSandboxes()
  })

  it('of an upload to a temp URL: its words without the signature', async function () {
    skipUnless(this, process.platform === 'linux', 'The words of other processes stand in /proc, which only Linux has')
    const made = await runSkylift(['temp-url', 's3://box/file', '-X', 'PUT'], home)
    const running = startSkylift(['upload', '-', made.stdout.trim(), '-v'], {env: home.env, stdin: 'open'})
    // It waits for the end of stdin.
    const words = await readWords(running.child.pid, /\?…/u)
    running.child.stdin?.end('x')
    const ending = await running.ended
    expect(words).to.match(/\/box\/file\?…/u)
    expect(words).to.not.match(/signature/iu)
    expect(ending.status, ending.stderr).to.equal(0)
  })

  it('of the sandbox that an upload started: none of the secrets of the person', async function () {
    skipUnless(this, process.platform === 'linux', 'The environment of other processes stands in /proc')
    const env = {...home.env, ...ENV}
    await runSkylift(['container', 'create', 'sandbox://box'], {env})
    const running = await findSandbox(home.sandboxFolder)
    const seen = await readFile(`/proc/${running?.pid}/environ`, 'utf8')
    expect(seen).to.include('SKYLIFT_SANDBOX_DIR=')
    checkSecrets('the environment of the sandbox', seen, env)
    checkCommandLine(running?.pid, env)
  })

  it('of a credential process: no secret of ours in its words', async function () {
    skipUnless(this, process.platform === 'linux', 'The words of other processes stand in /proc, which only Linux has')
    const seen = join(home.folder, 'seen')
    const answer = join(home.folder, 'answer.json')
    await writeFile(answer, JSON.stringify({Version: 1, AccessKeyId: 'AKID', SecretAccessKey: 'a-secret-of-a-vault'}))
    const command = `tr '\\0' ' ' </proc/$$/cmdline >'${seen}'; cat '${answer}'`
    const endpoint = home.env['AWS_ENDPOINT_URL'] ?? ''
    const add = ['remote', 'add', 'mine', '--endpoint-url', endpoint, '--region', 'us-east-1']
    const added = await runSkylift([...add, '--access-key-id', 'AKID', '--credential-process', command], home)
    expect(added.status, added.stderr).to.equal(0)
    const env = {...home.env, VAULT_SECRET: 'a-secret-of-a-vault'}
    const ending = await runSkylift(['upload', join(home.folder, 'file'), 'mine://box/', '-v'], {env})
    expect(ending.status).to.be.above(0)
    checkSecrets('the words of the process', await readFile(seen, 'utf8'), env)
  })
})

/** Returns the words of a process as soon as they fit, or after ten seconds as they are. */
async function readWords(pid: number | undefined, pattern: RegExp): Promise<string> {
  for (let end = performance.now() + 10_000; ;) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    if (pattern.test(words) || performance.now() > end) return words
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
