import {writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {Server, ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeCertificate} from '../support/certificate.ts'
import {accessDenied, badDigest, errorInside200, slowDown, wrongEtag} from '../support/fault-answers.ts'
import {startFaultProxy} from '../support/fault-proxy.ts'
import type {FaultProxy, Injection} from '../support/fault-proxy.ts'
import {reset} from '../support/faults.ts'
import {findFreePorts} from '../servers/ports.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'
import {SOON} from '../support/soon.ts'

const MIB = 1024 * 1024

interface FailedJson {
  readonly ok: boolean
  readonly objects: readonly {readonly key: string}[]
  readonly failures: readonly {
    readonly code: string
    readonly message: string
    readonly context?: {readonly container?: string; readonly key?: string; readonly status?: number}
  }[]
}

describe('skylift upload, when the store refuses', () => {
  let sandbox: Sandbox
  let client: S3Client
  let home: Home
  let small: string
  let big: string
  const servers: Server[] = []
  const proxies: FaultProxy[] = []

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    home = await makeHome()
    small = join(home.folder, 'small.txt')
    big = join(home.folder, 'big.bin')
    await writeFile(small, 'small')
    await makeRandomFile(big, 20 * MIB)
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
    await Promise.all(proxies.splice(0).map(proxy => proxy.close()))
    const {Contents = []} = await client.send(new ListObjectsV2Command({Bucket: 'box', Prefix: 'never/'}))
    expect(Contents, 'objects that should not be there').to.deep.equal([])
  })
  after(closeAll)

  /** Runs it with keys of the sandbox, unless told otherwise, as words and as JSON: both must agree. */
  async function fail(argv: readonly string[], env: Env = {}): Promise<Ending & {json: FailedJson}> {
    const all = {...home.env, ...accessEnv(sandbox), ...env}
    const plain = await callSkylift(['upload', ...argv, '-q', '--resume', 'never'], {env: all})
    const json = await callSkylift(['upload', ...argv, '-q', '--resume', 'never', '--json'], {env: all})
    expect(json.status).to.equal(plain.status)
    expect(plain.stderr.trimEnd().split('\n').length % 2, plain.stderr).to.equal(0)
    const document = readJson<FailedJson>(json)
    expect(document.ok).to.equal(false)
    for (const {message} of document.failures) expect(plain.stderr).to.contain(`${message}\n  `)
    return {...plain, json: document}
  }

  async function listen(server: Server, scheme = 'http'): Promise<Env> {
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return {AWS_ENDPOINT_URL: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`}
  }

  /** An endpoint that breaks what it is told to. */
  async function breakBy(...injections: Injection[]): Promise<Env> {
    const proxy = await startFaultProxy({upstream: sandbox.endpoint})
    proxies.push(proxy)
    for (const injection of injections) proxy.inject({times: Infinity, ...injection})
    return {AWS_ENDPOINT_URL: proxy.endpoint}
  }

  const keys: readonly (readonly [what: string, env: Env, words: RegExp])[] = [
    [
      'no credentials',
      {AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: ''},
      /^No credentials were found\.\n {2}Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE/u,
    ],
    [
      'a wrong secret',
      {AWS_SECRET_ACCESS_KEY: 'wrong'.repeat(8)},
      /does not accept the signature: the key or the secret/u,
    ],
    ['an unknown key', {AWS_ACCESS_KEY_ID: 'AKIDUNKNOWN'}, /does not know this access key\./u],
  ]
  for (const [what, env, words] of keys) {
    it(`fails auth for ${what}`, async () => {
      for (const file of [small, big]) {
        const {status, stderr, stdout, json} = await fail([file, 's3://box/never/'], env)
        expect({status, stdout}).to.deep.equal({status: 4, stdout: ''})
        expect(stderr).to.match(words)
        expect(json.failures.map(({code}) => code)).to.deep.equal(['auth'])
      }
    })
  }

  it('says which container there is not, and how to make it', async () => {
    for (const file of [small, big]) {
      const {status, stderr, json} = await fail([file, 's3://missing/never/'])
      expect(status).to.equal(5)
      expect(stderr).to.match(/^There is no container "missing"\.\n {2}Make it with: skylift container create/u)
      expect(json.failures[0]).to.deep.include({code: 'not-found'})
      expect(json.failures[0]?.context).to.include({container: 'missing', status: 404})
    }
  })

  it('says what may not be done', async () => {
    const env = await breakBy({operation: 'put', fault: accessDenied()}, {operation: 'create', fault: accessDenied()})
    for (const file of [small, big]) {
      const {status, stderr} = await fail([file, 's3://box/never/x'], env)
      expect(status).to.equal(4)
      expect(stderr).to.match(/^These credentials may not do this with "box\/never\/x"\.\n/u)
    }
  })

  it('keeps what is there with --no-clobber', async () => {
    const argv = [small, big, 's3://box/clobber/', '--no-clobber', '-q']
    const env = {...home.env, ...accessEnv(sandbox)}
    expect((await callSkylift(['upload', ...argv], {env})).status).to.equal(0)
    const {status, stderr} = await fail([small, big, 's3://box/clobber/', '--no-clobber'])
    expect(status).to.equal(6)
    expect(stderr).to.match(/There is already "box\/clobber\/small\.txt"\./u)
    expect(stderr).to.match(/There is already "box\/clobber\/big\.bin"\./u)
  })

  it('ends with the one status when all fail for one reason, and with 3 when for several', async () => {
    const other = join(home.folder, 'other')
    await writeFile(other, 'other')
    const denied: Injection = {operation: 'put', fault: accessDenied(), match: ({path}) => path.includes('other')}
    const one = await fail([other, 's3://box/never/'], await breakBy(denied))
    expect(one.status).to.equal(4)
    await callSkylift(['upload', small, 's3://box/mixed/', '-q'], {env: {...home.env, ...accessEnv(sandbox)}})
    const several = await fail([small, other, 's3://box/mixed/', '--no-clobber'], await breakBy(denied))
    expect(several.status).to.equal(3)
    expect(several.json.failures.map(({code}) => code)).to.have.members(['exists', 'forbidden'])
  })

  it('says that the folder that it runs in was deleted, where a name counts from there', async () => {
    const env = {...home.env, ...accessEnv(sandbox)}
    const through = ['sh', '-c', 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"', join(home.folder, 'gone')]
    for (const words of [['-r', '.'], ['small.txt']]) {
      const {status, stderr} = await runSkylift(['upload', ...words, 's3://box/never/', '-q'], {env, through})
      expect(stderr).to.match(/The folder that this runs in was deleted\.\n  Go to one that is there\.\n$/u)
      expect(status).to.equal(5)
    }
    const absolute = await runSkylift(['upload', small, 's3://box/always/', '-q'], {env, through})
    expect(absolute.status, absolute.stderr).to.equal(0)
  })

  it('stores the others when one fails, and tells both', async () => {
    const env = await breakBy({operation: 'create', fault: accessDenied()})
    const {status, stdout, stderr, json} = await fail([small, big, 's3://box/some/'], env)
    expect(status).to.equal(4)
    expect(stdout).to.match(/^s3:\/\/box\/some\/small\.txt .*\n$/u)
    expect(stderr).to.match(/^These credentials may not do this with "box\/some\/big\.bin"\.\n {2}\S.*\n$/u)
    expect(json.objects.map(({key}) => key)).to.deep.equal(['some/small.txt'])
  })

  it('gives up on an endpoint that is down after --retry-for, and says so', async () => {
    const env = {AWS_ENDPOINT_URL: `http://127.0.0.1:${await findFreePorts(1)}`}
    const started = performance.now()
    const {status, stderr, json} = await fail([small, 's3://box/never/', '--retry-for', '1500ms'], env)
    expect((performance.now() - started) / 2).to.be.within(500, SOON)
    expect(status).to.equal(8)
    expect(stderr).to.match(/^127\.0\.0\.1:\d+ refused the connection\.\n {2}Run the same command again/u)
    expect(json.failures[0]?.code).to.equal('network')
  })

  it('gives up on a name that nobody knows, and names it', async () => {
    const env = {AWS_ENDPOINT_URL: 'http://nobody.invalid'}
    const {status, stderr} = await fail([small, 's3://box/never/', '--retry-for', '300ms'], env)
    expect(status).to.equal(8)
    expect(stderr).to.match(/^nobody\.invalid (?:is not known to DNS|cannot be looked up in DNS for now)\.\n/u)
  })

  it('gives up on a store that is busy, or cuts every connection', async () => {
    for (const [fault, words] of [
      [slowDown(), /The store asks to slow down\./u],
      [reset('body', 100), /cut the connection\./u],
    ] as const) {
      const env = await breakBy({operation: 'any', fault})
      const {status, stderr} = await fail([big, 's3://box/never/', '--retry-for', '300ms'], env)
      expect(status).to.equal(8)
      expect(stderr).to.match(words)
    }
  })

  it('fails integrity when the store says that bytes are damaged, or stored others', async () => {
    for (const [injection, file] of [
      [{operation: 'put', fault: badDigest()}, small],
      [{operation: 'part', fault: badDigest()}, big],
      [{operation: 'part', fault: wrongEtag()}, big],
    ] as const) {
      const {status, json} = await fail([file, 's3://box/never/'], await breakBy(injection))
      expect(status, injection.fault.kind).to.equal(7)
      expect(json.failures[0]?.code).to.equal('integrity')
    }
  })

  it('does not take a Complete for done that fails inside its 200', async () => {
    const env = await breakBy({operation: 'complete', fault: errorInside200()})
    const {status} = await fail([big, 's3://box/never/', '--retry-for', '300ms'], env)
    expect(status).to.equal(8)
  })

  const pages: readonly (readonly [what: string, answer: (response: ServerResponse) => void, status: number])[] = [
    ['a web page', answer => answer.writeHead(200, HTML).end(PAGE), 2],
    ['a web page that says 404', answer => answer.writeHead(404, HTML).end(PAGE), 2],
    ['a web page that says 405', answer => answer.writeHead(405, HTML).end(PAGE), 2],
    ['a web page that says 403', answer => answer.writeHead(403, HTML).end(PAGE), 2],
  ]
  for (const [what, answer, wanted] of pages) {
    it(`says that an endpoint is no S3 store which answers with ${what}`, async () => {
      const env = await listen(
        createServer((request, response) => {
          request.resume()
          request.on('end', () => answer(response))
        }),
      )
      for (const file of [small, big]) {
        const {status, stderr, json} = await fail([file, 's3://box/never/', '--retry-for', '300ms'], env)
        expect(status, stderr).to.equal(wanted)
        expect(stderr).to.match(/does not look like an S3 store/u)
        expect(stderr).to.match(/\n {2}Check --endpoint-url/u)
        expect(json.failures[0]?.code).to.equal('config')
      }
    })
  }

  it('does not take an empty 200 for success', async () => {
    const env = await listen(
      createServer((request, response) => {
        request.resume()
        request.on('end', () => response.end())
      }),
    )
    for (const file of [small, big]) {
      const {status, stdout} = await fail([file, 's3://box/never/', '--retry-for', '300ms'], env)
      expect(status).to.be.oneOf([2, 7, 8])
      expect(stdout).to.equal('')
    }
  })

  it('does not hang on an endpoint that speaks something else', async () => {
    const server = createServer()
    server.on('connection', socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    const {status, stderr} = await fail([small, 's3://box/never/', '--retry-for', '300ms'], await listen(server))
    expect(status).to.equal(8)
    expect(stderr).to.match(/does not answer in HTTP/u)
  })

  describe('over TLS', () => {
    const certificate = makeCertificate()
    let env: Env
    beforeEach(async () => {
      const proxy = await startFaultProxy({upstream: sandbox.endpoint, tls: certificate})
      proxies.push(proxy)
      env = {AWS_ENDPOINT_URL: proxy.endpoint}
    })

    it('fails config for a certificate that nobody vouches for, at once, and names the ways out', async () => {
      const started = performance.now()
      const {status, stderr} = await fail([small, 's3://box/never/'], env)
      expect(status).to.equal(2)
      expect(stderr).to.match(/^The certificate of 127\.0\.0\.1:\d+ cannot be trusted \([\w-]+\)\.\n {2}.*--ca-bundle/u)
      expect(performance.now() - started).to.be.below(SOON)
    })

    it('takes it with --ca-bundle or AWS_CA_BUNDLE', async () => {
      const bundle = join(home.folder, 'ca.pem')
      await writeFile(bundle, certificate.cert)
      const all = {...home.env, ...accessEnv(sandbox), ...env}
      const flag = await callSkylift(['upload', small, 's3://box/tls/', '-q', '--ca-bundle', bundle], {env: all})
      expect({status: flag.status, stderr: flag.stderr}).to.deep.equal({status: 0, stderr: ''})
      const variable = await callSkylift(['upload', big, 's3://box/tls/', '-q'], {env: {...all, AWS_CA_BUNDLE: bundle}})
      expect(variable.status).to.equal(0)
    })

    it('takes it with --no-verify-ssl, and says loudly what that means, with -q too', async () => {
      const all = {...home.env, ...accessEnv(sandbox), ...env}
      const {status, stderr} = await callSkylift(['upload', small, 's3://box/tls/', '-q', '--no-verify-ssl'], {
        env: all,
      })
      expect(status).to.equal(0)
      expect(stderr).to.match(/^WARNING: certificates are not checked.*\n$/u)
    })

    it('says which of the two sides speaks TLS where only one does', async () => {
      const plain = await fail([small, 's3://box/never/', '--endpoint-url', sandbox.endpoint.replace('http', 'https')])
      expect(plain.status).to.equal(2)
      expect(plain.stderr).to.match(/does not speak TLS as expected .*\n {2}.*http:\/\//u)
    })
  })

  it('leaves no unfinished upload behind', async () => {
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))
    expect(Uploads).to.deep.equal([])
  })

  it('with --progress json writes NDJSON and nothing else to stderr, failures too', async () => {
    const env = {...home.env, ...accessEnv(sandbox)}
    const {stderr, status} = await callSkylift(['upload', big, 's3://missing/never/', '--progress', 'json'], {env})
    expect(status).to.equal(5)
    for (const line of stderr.trimEnd().split('\n')) expect(() => JSON.parse(line) as unknown, line).not.to.throw()
  })
})

const HTML = {'content-type': 'text/html'}
const PAGE = '<!DOCTYPE html><html><head><title>Welcome</title></head><body>It works!</body></html>'
