import {writeFile} from 'node:fs/promises'
import {once} from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift} from '../servers/swift.ts'
import {makeCertificate} from '../support/certificate.ts'
import {callSkylift, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'
import {openAccount} from '../support/swift-account.ts'
import type {SwiftAccount} from '../support/swift-account.ts'

/** Speaks TLS in front of a server that does not, under a certificate that nobody knows. */
async function startTls(target: string, certificate: {key: string; cert: string}): Promise<https.Server> {
  const {hostname, port} = new URL(target)
  const server = https.createServer(certificate, (request, response) => {
    const {method, url: path, headers} = request
    const sent = http.request({hostname, port, method, path, headers}, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    sent.on('error', () => response.destroy())
    request.pipe(sent)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

describe('certificates of a cloud', function () {
  this.timeout(60_000)
  let account: SwiftAccount
  let home: Home
  let server: https.Server
  let origin: string
  let caFile: string

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    account = await openAccount()
    home = await makeHome()
    const certificate = makeCertificate()
    caFile = join(home.folder, 'home', 'ca.pem')
    await writeFile(caFile, certificate.cert)
    server = await startTls(account.access.storageUrl, certificate)
    origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server?.closeAllConnections()
    server?.close()
  })

  const storageUrl = (): string => `${origin}${new URL(account.access.storageUrl).pathname}`
  const clouds = (): string => join(home.folder, 'clouds.yaml')
  const cloudsEnv = (): Env => ({...home.env, OS_CLIENT_CONFIG_FILE: clouds()})
  /** Lists the containers of the cloud `box`, which has these words. */
  async function list(words: string, env: Env = {}, ...flags: string[]): Promise<Ending> {
    const auth = `{auth_url: ${origin}/auth/v1.0, username: 'admin:admin', password: admin}`
    const plain = `{auth_type: v1password, auth: ${auth}, object_store_endpoint_override: ${storageUrl()}`
    await writeFile(clouds(), `clouds:\n  box: ${plain}${words}}\n  other: ${plain}, verify: false}\n`)
    const argv = ['container', 'list', 'swift://', '--os-cloud', 'box', '--retry-for', '1s', ...flags]
    // In a process of its own where its home counts.
    return (words.includes('~') ? runSkylift : callSkylift)(argv, {env: {...cloudsEnv(), ...env}})
  }
  const WARNING = /WARNING: certificates are not checked/gu

  it('are refused where nobody vouches for them', async () => {
    for (const words of ['', ', verify: true', ', insecure: false']) {
      const {status, stderr} = await list(words)
      expect([status, stderr.includes('cannot be trusted')], stderr).to.deep.equal([2, true])
    }
  })

  it('are trusted by cacert, with its home folder, and by OS_CACERT before it', async () => {
    for (const [words, env] of [
      [`, cacert: ${caFile}`, {}],
      [', cacert: ~/ca.pem', {}],
      ['', {OS_CACERT: caFile}],
      [', cacert: /nonexistent', {OS_CACERT: caFile}],
      [`, cacert: ${caFile}, verify: true`, {NODE_EXTRA_CA_CERTS: caFile}],
    ] as [string, Env][]) {
      const {status, stderr} = await list(words, env)
      expect(status, words + stderr).to.equal(0)
      expect(stderr).not.to.match(WARNING)
    }
  })

  it('go unchecked by verify: false, loudly', async () => {
    for (const words of [
      ', verify: false',
      ', insecure: true',
      ", verify: 'False'",
      `, verify: false, cacert: ${caFile}`,
    ]) {
      const {status, stderr} = await list(words)
      expect(status, stderr).to.equal(0)
      expect(stderr.match(WARNING), words).to.have.length(1)
      expect(stderr).to.contain('as clouds.yaml wishes')
    }
    const said = await list(', verify: false', {}, '--no-verify-ssl')
    expect(said.stderr.match(WARNING), 'twice').to.have.length(1)
  })

  it('fail before anything is asked where the file cannot be used', async () => {
    const empty = join(home.folder, 'empty.pem')
    await writeFile(empty, 'nothing')
    for (const file of ['/nonexistent/ca.pem', empty]) {
      const {status, stderr} = await list(`, cacert: ${file}`, {}, '-v')
      expect(status, stderr).to.equal(2)
      expect(stderr).to.contain(file).and.not.to.match(/^GET /mu)
    }
  })

  it('are those of an upload and of its check too', async () => {
    const file = join(home.folder, 'x.txt')
    await writeFile(file, 'hello')
    await list(`, cacert: ${caFile}`)
    const run = (...words: string[]): Promise<Ending> =>
      callSkylift([...words, '--os-cloud', 'box'], {env: cloudsEnv()})
    await run('container', 'create', 'swift://tls')
    await run('temp-url-key', 'set', 'swift://tls', '-y')
    for (const words of [
      ['upload', file, 'swift://tls/x', '-q'],
      ['temp-url', 'swift://tls/x', '--check'],
      ['verify', file, 'swift://tls/x'],
    ]) {
      const {status, stderr} = await run(...words)
      expect(status, stderr).to.equal(0)
    }
  })
})
