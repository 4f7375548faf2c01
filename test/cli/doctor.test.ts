import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll as closeServers, startServer} from '../http/support.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import type {Access} from '../sandbox/support.ts'
import {makeCertificate} from '../support/certificate.ts'
import {startPlainStore} from '../support/plain-store.ts'
import {startPolicyProxy} from '../support/policy-proxy.ts'
import {accessEnv, callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'

interface CheckJson {
  readonly name: string
  readonly status: 'ok' | 'open' | 'failed' | 'skipped'
  readonly message: string
  readonly suggestion?: string
  readonly code?: string
}

interface Diagnosis {
  readonly ok: boolean
  readonly checks: readonly CheckJson[]
  readonly failures?: readonly {readonly code: string}[]
}

describe('skylift doctor', () => {
  let sandbox: Access
  let client: S3Client
  let home: Home

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
  })
  after(closeAll)
  beforeEach(async () => {
    home = await makeHome(accessEnv(sandbox))
  })
  afterEach(closeServers)

  const call = (argv: readonly string[], env: Env = {}): Promise<Ending> =>
    callSkylift(['doctor', ...argv], {env: {...home.env, ...env}})

  /** The checks by name, and the status that the command ended with. */
  async function examine(
    argv: readonly string[],
    env: Env = {},
  ): Promise<{status: number | undefined} & Diagnosis & {by(name: string): CheckJson}> {
    const ending = await call([...argv, '--json'], env)
    const diagnosis = readJson<Diagnosis>(ending)
    expect(ending.stdout + ending.stderr).not.to.include(sandbox.secretAccessKey)
    return {
      ...diagnosis,
      status: ending.status,
      by: name =>
        diagnosis.checks.find(each => each.name === name) ?? {name, status: 'skipped', message: 'no such check'},
    }
  }
  const statusesOf = ({checks}: Diagnosis): Record<string, string> =>
    Object.fromEntries(checks.map(({name, status}) => [name, status]))
  const countStored = async (): Promise<number> => {
    const {KeyCount = 0} = await client.send(new ListObjectsV2Command({Bucket: 'box'}))
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))
    return KeyCount + Uploads.length
  }

  describe('of this machine', () => {
    it('looks at Node, the state folder and the remotes', async () => {
      const {status, stdout, stderr} = await call([])
      expect(status).to.equal(0)
      expect(stdout).to.match(
        /^✓ node +Node \d+.*\n(?: +Take Node 22.*\n)?✓ state folder .*\n✓ remotes +none saved\n$/u,
      )
      expect(stderr).to.include('Name a target')
    })

    it('tells a state folder that cannot be written', async () => {
      const file = join(home.folder, 'a-file')
      await writeFile(file, '')
      const {status, by} = await examine([], {SKYLIFT_STATE_DIR: join(file, 'state')})
      expect(status).to.equal(2)
      expect(by('state folder')).to.include({status: 'failed', code: 'config'})
      expect(by('state folder').suggestion).to.include('SKYLIFT_STATE_DIR')
    })

    it('tells that in CI the state folder does not last', async () => {
      const {SKYLIFT_STATE_DIR: _, ...env} = home.env
      const ending = await callSkylift(['doctor', '--json'], {env: {...env, CI: 'true'}})
      const found = readJson<Diagnosis>(ending).checks.find(({name}) => name === 'state folder')
      expect(found).to.include({status: 'open'})
      expect(found?.message).to.include('will not outlive the job')
    })

    it('tells a file with secrets that others can read, and one that is damaged', async () => {
      const file = join(home.env['HOME'] ?? '', '.config', 'skylift', 'remotes.json')
      await mkdir(dirname(file), {recursive: true})
      await writeFile(file, JSON.stringify({r2: {provider: 's3', accessKeyId: 'a', secret: {value: 'geheim'}}}))
      await chmod(file, 0o644)
      const loose = await examine([])
      expect(loose.by('remotes')).to.include({status: 'failed', suggestion: `chmod 600 '${file}'`})
      expect(loose.status).to.equal(2)
      await chmod(file, 0o600)
      expect((await examine([])).by('remotes')).to.include({status: 'ok', message: '1 saved: r2'})
      await writeFile(file, '{')
      expect((await examine([])).by('remotes').message).to.include('is damaged')
    })
  })

  describe('of a store', () => {
    it('finds all well, and writes nothing', async () => {
      const found = await examine(['s3://box/some/folder/'])
      expect(found).to.include({status: 0, ok: true})
      const wrong = Object.entries(statusesOf(found)).filter(([, status]) => status !== 'ok')
      // The driver does not know this endpoint, and nothing was uploaded yet.
      expect(wrong).to.deep.equal([['checksum', 'open']])
      expect(found.checks.map(({name}) => name)).to.include.members([
        'dns',
        'clock',
        'credentials',
        'region',
        'write',
        'multipart',
        'resume',
        'abort',
        'list',
        'limits',
      ])
      expect(found.by('credentials').message).to.include(sandbox.accessKeyId)
      expect(await countStored()).to.equal(0)
    })

    it('with --write it writes, learns what the store verifies, and leaves nothing', async () => {
      const found = await examine(['s3://box/some/folder/', '--write'])
      expect(found.by('real write').message).to.include('verified by crc32, and dropped')
      expect(await countStored()).to.equal(0)
      expect((await examine(['s3://box'])).by('checksum')).to.include({
        status: 'ok',
        message: 'CRC32, verified by the store',
      })
    })

    it('serves the sandbox, and a remote alone', async () => {
      const {status, stdout} = await runSkylift(['doctor', 'sandbox://not-there'], {env: home.env})
      expect(stdout).to.match(
        /✗ container +There is no container "not-there" in the sandbox yet\.\n +The first upload makes it\./u,
      )
      expect(stdout).to.include('– not checked  region, write, multipart, resume, abort, list')
      expect(status).to.equal(5)
      const alone = await examine(['s3://'])
      expect(alone.by('containers')).to.include({status: 'ok'})
      expect(alone.by('containers').message).to.include('"box"')
      expect(alone.status).to.equal(0)
    })

    it('finds a key that may only put: enough to upload', async () => {
      const proxy = await startPolicyProxy({upstream: sandbox.endpoint})
      try {
        const found = await examine(['s3://box/'], {AWS_ENDPOINT_URL: proxy.endpoint})
        expect(statusesOf(found)).to.include({
          container: 'open',
          write: 'ok',
          multipart: 'ok',
          resume: 'open',
          list: 'open',
          abort: 'ok',
        })
        expect(found.by('resume')).to.have.property('message').that.includes('begins anew')
        expect(found.by('resume').suggestion).to.include('--policy')
        expect(found).to.include({status: 0, ok: true})
      } finally {
        await proxy.close()
      }
    })

    it('finds a key that may not put, and asks for no more than needed', async () => {
      const proxy = await startPolicyProxy({upstream: sandbox.endpoint, deny: ['put', 'part', 'abort']})
      try {
        const {stdout, status} = await call(['s3://box/a/k'], {AWS_ENDPOINT_URL: proxy.endpoint})
        expect(stdout).to.include('✗ write        These credentials may not put objects at "s3://box/a/k".')
        expect(stdout).to.include('skylift doctor s3://box/a/k --policy')
        expect(stdout).to.include('✗ multipart').and.to.include('– abort        may not drop')
        expect(status).to.equal(4)
      } finally {
        await proxy.close()
      }
    })

    it('with --write tells what a key that may not delete leaves behind', async () => {
      const proxy = await startPolicyProxy({upstream: sandbox.endpoint, deny: ['delete']})
      try {
        const found = await examine(['s3://box/left/', '--write'], {AWS_ENDPOINT_URL: proxy.endpoint})
        expect(found.by('real write').suggestion).to.match(/is still there: left\/\.skylift-doctor-[\da-f]{16}/u)
        expect(await countStored()).to.equal(1)
      } finally {
        await proxy.close()
      }
    })

    const WRONG: readonly (readonly [
      what: string,
      argv: readonly string[],
      env: Env,
      check: string,
      status: number,
    ])[] = [
      ['a wrong secret', ['s3://box'], {AWS_SECRET_ACCESS_KEY: 'not-the-right-one'}, 'credentials', 4],
      ['an unknown access key', ['s3://box'], {AWS_ACCESS_KEY_ID: 'NOBODY'}, 'credentials', 4],
      ['no credentials', ['s3://box'], {AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: ''}, 'credentials', 4],
      ['no such container', ['s3://nowhere-to-be-found'], {}, 'container', 5],
      ['no such name', ['s3://box'], {AWS_ENDPOINT_URL: 'http://store.invalid'}, 'dns', 8],
      ['nobody there', ['s3://box'], {AWS_ENDPOINT_URL: 'http://127.0.0.1:1'}, 'connection', 8],
      ['no endpoint', ['s3://box'], {AWS_ENDPOINT_URL: 'minio:9000'}, 'remote', 2],
      ['no such remote', ['nosuch://box'], {}, 'remote', 2],
    ]
    for (const [what, argv, env, check, wanted] of WRONG) {
      it(`tells ${what}`, async () => {
        const found = await examine(argv, env)
        expect(found.checks.find(({status}) => status === 'failed')?.name).to.equal(check)
        expect(found.by(check).suggestion).to.be.a('string')
        expect(found).to.include({status: wanted, ok: false})
        expect(found.failures).to.have.length(found.checks.filter(({status}) => status === 'failed').length)
      })
    }

    it('tells a store that does not look at checksums, and deletes what it took', async () => {
      const plain = await startPlainStore()
      const found = await examine(['s3://box/a/'], {AWS_ENDPOINT_URL: plain.endpoint})
      expect(found.by('write')).to.include({status: 'ok'})
      expect(found.by('write').suggestion).to.include('wrong checksum')
      const [put, deleted] = plain.requests.filter(({url}) => !url.includes('?') && url.includes('.skylift-doctor-'))
      expect([put?.method, deleted?.method]).to.deep.equal(['PUT', 'DELETE'])
      expect(put?.url)
        .to.equal(deleted?.url)
        .and.to.match(/^\/box\/a\//u)
      await plain.close()
    })

    it('tells a clock that is off, and goes on', async () => {
      const date = new Date(Date.now() + 3_600_000).toUTCString()
      const {origin} = await startServer((_, response) => {
        response.sendDate = false
        response.writeHead(403, {date}).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>')
      })
      const found = await examine(['s3://box'], {AWS_ENDPOINT_URL: origin})
      expect(found.by('clock').message).to.match(
        /The clock of this machine is (?:1 h|59 min \d+ s) behind the server's/u,
      )
      expect(found.by('write').status).to.equal('failed')
      expect(found.status).to.equal(2)
    })

    it('tells credentials that end, and that have ended', async () => {
      const script = join(home.folder, 'keys.sh')
      const keysUntil = async (end: number): Promise<Env> => {
        const {accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey} = sandbox
        const answer = {Version: 1, AccessKeyId, SecretAccessKey, Expiration: new Date(Date.now() + end).toISOString()}
        await writeFile(script, `echo '${JSON.stringify(answer)}'`)
        return {}
      }
      await keysUntil(600_000)
      await callSkylift(
        ['remote', 'add', 'box', '--endpoint-url', sandbox.endpoint, '--credential-process', `sh ${script}`],
        home,
      )
      const soon = await examine(['box://box'])
      expect(soon.by('credentials').message).to.match(/; ends in (?:10 min|9 min 5\d s)$/u)
      expect(soon.by('credentials').suggestion).to.include('outlives')
      expect(soon.status).to.equal(0)
      await keysUntil(-1000)
      const over = await examine(['box://box'])
      expect(over.by('credentials')).to.include({status: 'failed', code: 'expired'})
      expect(over.status).to.equal(4)
    })
  })

  describe('of the way there', () => {
    const empty: Parameters<typeof startServer>[0] = (_, response) => response.writeHead(404).end()

    it('tells a certificate that nobody knows, and one that ends soon', async () => {
      const tls = makeCertificate(['localhost'])
      const {port} = await startServer(empty, {tls})
      const env = {AWS_ENDPOINT_URL: `https://localhost:${port}`}
      const unknown = await examine(['s3://box'], env)
      expect(unknown.by('connection')).to.include({status: 'failed', code: 'config'})
      expect(unknown.status).to.equal(2)
      const bundle = join(home.folder, 'ca.pem')
      await writeFile(bundle, tls.cert)
      const known = await examine(['s3://box', '--ca-bundle', bundle], env)
      expect(known.by('connection').message).to.match(/over TLSv1\.3, certificate by Skylift test until \d{4}-/u)
      expect(known.by('connection').suggestion).to.match(/^The certificate ends in (?:2 d|1 d 23 h)/u)
      const loose = await call(['s3://box', '--no-verify-ssl'], env)
      expect(loose.stdout).to.match(/– connection .*\n +Nobody checked the certificate/u)
    })

    it('tells plain http to another machine, and a proxy without its password', async () => {
      const asked: string[] = []
      const {port} = await startServer((request, response) => {
        asked.push(request.url ?? '')
        response.writeHead(404).end()
      })
      const env = {
        AWS_ENDPOINT_URL: 'http://store.test',
        HTTP_PROXY: `http://jane:geheim@127.0.0.1:${port}`,
        http_proxy: '',
      }
      const {stdout} = await call(['s3://box'], env)
      expect(stdout)
        .to.include(`✓ proxy        store.test is reached through 127.0.0.1:${port}`)
        .and.not.to.include('geheim')
      expect(stdout).to.include('✓ dns          127.0.0.1 is an address already')
      expect(stdout).to.match(
        /– connection {3}store\.test answered .* over plain http\n +Everything is sent unencrypted/u,
      )
      expect(asked[0]).to.equal('http://store.test/')
    })
  })

  describe('--policy', () => {
    const policyOf = async (
      target: string,
      ...more: string[]
    ): Promise<{Statement: readonly Record<string, unknown>[]}> => {
      const {status, stdout} = await call([target, '--policy', ...more], {AWS_ENDPOINT_URL: 'http://127.0.0.1:1'})
      expect(status).to.equal(0)
      return JSON.parse(stdout) as {Statement: readonly Record<string, unknown>[]}
    }

    it('says the least that an upload needs, and asks nobody', async () => {
      expect((await policyOf('s3://box/a/')).Statement).to.deep.equal([
        {Sid: 'SkyliftUpload', Effect: 'Allow', Action: ['s3:PutObject'], Resource: 'arn:aws:s3:::box/a/*'},
      ])
      expect((await policyOf('s3://box/a/k')).Statement[0]).to.include({Resource: 'arn:aws:s3:::box/a/k'})
      expect((await policyOf('s3://box')).Statement[0]).to.include({Resource: 'arn:aws:s3:::box/*'})
      expect((await policyOf('s3://box/a*b?/')).Statement[0]).to.include({Resource: 'arn:aws:s3:::box/a${*}b${?}/*'})
    })

    it('says what going on and looking around need', async () => {
      const resume = await policyOf('s3://box/a/', '--rights', 'resume')
      expect(resume.Statement[1]).to.deep.include({Action: ['s3:ListMultipartUploadParts', 's3:AbortMultipartUpload']})
      expect(resume.Statement).to.have.length(2)
      const all = await policyOf('s3://box/a/', '--rights', 'all', '--region', 'cn-north-1')
      expect(all.Statement.map(({Sid}) => Sid)).to.deep.equal([
        'SkyliftUpload',
        'SkyliftResume',
        'SkyliftRead',
        'SkyliftList',
        'SkyliftPending',
      ])
      expect(all.Statement[3]).to.deep.include({
        Resource: 'arn:aws-cn:s3:::box',
        Condition: {StringLike: {'s3:prefix': 'a/*'}},
      })
    })

    it('wants a target with a container', async () => {
      expect((await call(['--policy'])).status).to.equal(2)
      expect((await call(['s3://', '--policy'])).stderr).to.include('names no container')
      expect((await call(['s3://box', '--rights', 'all'])).status).to.equal(2)
    })
  })
})
