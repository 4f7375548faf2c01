import {once} from 'node:events'
import {existsSync, readdirSync} from 'node:fs'
import {connect} from 'node:net'
import {join} from 'node:path'
import {CreateBucketCommand, ListObjectsV2Command, PutObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {fuzzAsync} from '../fuzz/fuzz.ts'
import {anyText, mutated} from '../fuzz/inputs.ts'
import {closeAll, openClient, openSandbox, presign, sendRaw, signHeaders} from '../sandbox/support.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {SMUGGLING, speak, statusesOf} from './raw-http.ts'

describe('the sandbox against tricks on the wire', function () {
  this.timeout(120_000)
  let sandbox: Awaited<ReturnType<typeof openSandbox>>
  let client: S3Client
  // Folders of its own: others write to the one for temporary files meanwhile.
  let around: string
  let slow: Promise<number>

  before(async () => {
    around = await makeTempFolder()
    sandbox = await openSandbox({folder: join(around, 'near', 'data')})
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    await client.send(new PutObjectCommand({Bucket: 'box', Key: 'secret', Body: 'the secret'}))
    slow = sendSlowly(sandbox.port)
  })
  after(closeAll)

  const keys = async (): Promise<string[]> =>
    ((await client.send(new ListObjectsV2Command({Bucket: 'box'}))).Contents ?? []).map(({Key}) => Key ?? '')
  const linesOf = async (method: string, path: string): Promise<string[]> => [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries(await signHeaders(sandbox, {method, path})).map(([name, value]) => `${name}: ${value}`),
  ]

  for (const {name, headers = [], body = ''} of SMUGGLING) {
    it(`smuggles no second request by ${name}`, async () => {
      // Signed, so that only the framing can be what is refused; and the second one would be let in as well.
      const first = await linesOf('PUT', '/box/first')
      const second = await linesOf('PUT', '/box/second')
      const bytes = [...first, ...headers, '', body + [...second, 'content-length: 1', '', 'x'].join('\r\n')].join(
        '\r\n',
      )
      const answer = await speak(sandbox.port, bytes, {end: true})
      expect(statusesOf(answer)).to.deep.equal([400])
      expect(await keys()).to.deep.equal(['secret'])
    })
  }

  it('answers requests that come at once in their order, each for itself', async () => {
    const ask = async (key: string): Promise<string> => [...(await linesOf('GET', `/box/${key}`)), '', ''].join('\r\n')
    const refused = 'GET /box/secret HTTP/1.1\r\nhost: localhost\r\n\r\n'
    const last = 'GET /box/none HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'
    const answer = await speak(sandbox.port, (await ask('secret')) + refused + (await ask('none')) + last)
    expect(statusesOf(answer)).to.deep.equal([200, 403, 404, 403])
    expect(answer.match(/the secret/gu)).to.have.length(1)
  })

  it('lets nobody in by the framing of a request that it refused', async () => {
    const hidden = [...(await linesOf('PUT', '/box/hidden')), 'content-length: 1', '', 'x'].join('\r\n')
    const denied = `PUT /box/denied HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`
    const last = 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'
    expect(statusesOf(await speak(sandbox.port, denied + last))).to.deep.equal([403, 403])
    expect(await keys()).to.deep.equal(['secret'])
  })

  for (const [name, request] of [
    ['another host in an absolute target', 'GET http://evil.example/box/secret HTTP/1.1\r\nhost: localhost\r\n'],
    ['a loopback name in front of another', 'GET http://localhost@evil.example/ HTTP/1.1\r\nhost: localhost\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n'],
    ['two hosts, the true one last', 'GET / HTTP/1.1\r\nhost: evil.example\r\nhost: localhost\r\n'],
    ['a host with a blank', 'GET / HTTP/1.1\r\nhost: localhost evil.example\r\n'],
    ['a name that was pointed here (DNS rebinding)', 'GET / HTTP/1.1\r\nhost: rebound.example:80\r\n'],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const answer = await speak(sandbox.port, `${request}connection: close\r\n\r\n`)
      expect(statusesOf(answer).length).to.equal(1)
      expect(statusesOf(answer)[0]).to.be.oneOf([400, 403])
      expect(answer).to.match(/BadRequest|answers to 127\.0\.0\.1/u)
    })
  }

  for (const path of [
    '/box/../../credentials.json',
    '/box/..%2f..%2fcredentials.json',
    '/box/%2e%2e/%2e%2e/credentials.json',
    '/../credentials.json',
    '/..%2fcredentials.json',
    '/%2e%2e/credentials.json',
    '//box//secret',
    '/box/%00/secret',
    '/box/secret%00',
    '/box/\\..\\..\\credentials.json',
    '/box/%c0%ae%c0%ae/credentials.json',
  ]) {
    it(`finds no file of the data folder by ${path}`, async () => {
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        const headers = await signHeaders(sandbox, {method, path})
        const reply = await sendRaw(sandbox, {method, path, headers})
        expect([204, 400, 403, 404], `${method}: ${reply.text}`).to.include(reply.status)
        expect(reply.text).to.not.include(sandbox.secretAccessKey)
      }
      expect(existsSync(join(sandbox.folder, 'credentials.json'))).to.equal(true)
      expect(await keys()).to.deep.equal(['secret'])
    })
  }

  it('writes keys that look like paths nowhere but into itself', async () => {
    const before = listAll(around, sandbox.folder)
    for (const Key of ['../../outside', '..', '/etc/passwd', 'a/../../../b', 'nul\0byte', 'x'.repeat(1024)]) {
      const path = `/box/${Key.split('/').map(encodeURIComponent).join('/')}`
      const headers = await signHeaders(sandbox, {method: 'PUT', path})
      const {status} = await sendRaw(sandbox, {method: 'PUT', path, headers, body: 'x'})
      expect([200, 400], Key).to.include(status)
      await sendRaw(sandbox, {method: 'DELETE', path, headers: await signHeaders(sandbox, {method: 'DELETE', path})})
    }
    expect(listAll(around, sandbox.folder)).to.deep.equal(before)
  })

  it('survives any bytes', async () => {
    const path = await presign(sandbox, {path: '/box/secret'})
    const samples = [
      `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${sandbox.port}\r\n\r\n`,
      `POST /box HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 60\r\n\r\n--b\r\ncontent-disposition: form-data; name="key"\r\n\r\nk\r\n--b--\r\n`,
      'PUT /box/k?partNumber=1&uploadId=u HTTP/1.1\r\nhost: localhost\r\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    ]
    const words = ['\r\n', '\n', ': ', 'host', 'chunked', '%2e', '/', '?', 'HTTP/1.1', '&', '=', ';', '"']
    await fuzzAsync(fc.oneof(mutated(samples, words), anyText(words)), async text => {
      const answer = await speak(sandbox.port, Buffer.from(text).toString('latin1'), {end: true})
      expect(answer).to.not.match(/^HTTP\/1\.1 500|InternalError/mu)
      expect(answer).to.not.include(sandbox.secretAccessKey)
    })
    expect(readdirSync(sandbox.folder)).to.include('credentials.json')
  })

  it('holds no connection for whoever sends the head of a request without end', async () => {
    expect(await slow).to.be.below(90_000)
  })
})

/** Sends a header a second and never comes to an end; resolves to how long that was borne. */
async function sendSlowly(port: number): Promise<number> {
  const started = performance.now()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n')
  const timer = setInterval(() => socket.write('x: y\r\n'), 1000)
  await once(socket, 'close')
  clearInterval(timer)
  return performance.now() - started
}

/** Names of everything in a folder, except below one of them. */
function listAll(folder: string, but: string): string[] {
  return readdirSync(folder, {encoding: 'utf8', recursive: true}).filter(
    name => !join(folder, name).startsWith(`${but}/`),
  )
}
