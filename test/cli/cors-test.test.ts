import {CreateBucketCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {
  checkMixed,
  findUnsafeHeaders,
  isForbiddenHeader,
  needsPreflight,
} from '../../src/cli/cors-test/browser-rules.ts'
import {closeAll as closeServers, startServer} from '../http/support.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import type {Access} from '../sandbox/support.ts'
import {startPlainStore} from '../support/plain-store.ts'
import {startPolicyProxy} from '../support/policy-proxy.ts'
import {accessEnv, callSkylift, makeHome} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'

describe('skylift cors test', () => {
  let sandbox: Access
  let client: S3Client
  let home: Home

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    home = await makeHome(accessEnv(sandbox))
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
  })
  after(closeAll)

  const call = (argv: readonly string[], env: Env = {}): Promise<Ending> =>
    callSkylift(['cors', ...argv], {env: {...home.env, ...env}})
  const test = (...argv: string[]): Promise<Ending> => call(['test', ...argv])

  it('says in a line what is wrong, in a second one what to do, and that works', async () => {
    const before = await test('s3://box', '--origin', 'https://a.example')
    expect(before.status).to.equal(4)
    expect(before.stdout).to.equal(
      [
        '✗ preflight  The answer to the preflight has no Access-Control-Allow-Origin, and its status is 403.',
        '             No CORS rule fits: skylift cors set s3://box --preset browser-upload --origin https://a.example',
        '✗ A page of https://a.example cannot use PUT at s3://box.',
        '',
      ].join('\n'),
    )
    const [, , ...argv] = (before.stdout.split('No CORS rule fits: ')[1] ?? '').split('\n')[0]?.split(' ') ?? []
    await call(argv)
    const after = await test('s3://box', '--origin', 'https://a.example')
    expect(after.stdout).to.equal(
      [
        '✓ preflight  PUT, content-type: the store lets the page send it.',
        '✓ answer     PUT: the page may see the answer.',
        '✓ expose     ETag: the page may read it.',
        '✓ A page of https://a.example can use PUT at s3://box.',
        '',
      ].join('\n'),
    )
    expect(after.status).to.equal(0)
  })

  it('tries several methods, also one that needs no preflight, and changes nothing', async () => {
    await call(['set', 's3://box', '--preset', 'browser-upload', '--origin', 'null'])
    const methods = ['GET', 'HEAD', 'PUT', 'POST'].flatMap(method => ['--method', method])
    const {stdout, status} = await test('s3://box/a/', '--origin', 'null', ...methods)
    expect(status).to.equal(0)
    expect(stdout.match(/^✓ A page that was opened from a file can use \w+ at s3:\/\/box\/a\/\.$/gmu)).to.have.length(4)
    expect(stdout.match(/^✓ preflight/gmu)).to.have.length(1)
    const refused = await test('s3://box', '--origin', 'null', '--method', 'GET', '--method', 'DELETE')
    expect(refused.stdout).to.include('can use GET').and.to.include('cannot use DELETE')
    expect(refused.status).to.equal(4)
    expect((await client.send(new ListObjectsV2Command({Bucket: 'box'}))).KeyCount).to.equal(0)
  })

  it('serves a key that may not even be known', async () => {
    await call(['set', 's3://box', '--preset', 'browser-upload', '--origin', 'https://a.example'])
    const proxy = await startPolicyProxy({upstream: sandbox.endpoint, deny: ['put']})
    try {
      const argv = ['test', 's3://box', '--origin', 'https://a.example']
      const {stdout} = await call(argv, {AWS_ENDPOINT_URL: proxy.endpoint})
      expect(stdout).to.match(
        /✓ preflight .*\n✗ answer {5}The answer to PUT \(status 403\) has no Access-Control-Allow-Origin\./u,
      )
    } finally {
      await proxy.close()
    }
  })

  it('deletes what a store takes although it is damaged', async () => {
    const asked: string[] = []
    const {origin} = await startServer((request, response) => {
      request.resume()
      asked.push(`${request.method} ${request.url?.split('?')[0]}`)
      const headers = {
        'access-control-allow-origin': '*',
        'access-control-allow-methods': '*',
        'access-control-allow-headers': '*',
        'access-control-expose-headers': '*',
      }
      response.writeHead(200, headers).end()
    })
    const argv = ['test', 's3://box/a/', '--origin', 'https://a.example']
    expect((await call(argv, {AWS_ENDPOINT_URL: origin})).status).to.equal(0)
    const key = asked[0]?.replace('OPTIONS ', '')
    expect(key).to.match(/^\/box\/a\/\.skylift-cors-[\da-f]{16}$/u)
    expect(asked).to.deep.equal([`OPTIONS ${key}`, `PUT ${key}`, `DELETE ${key}`])
    await closeServers()
  })

  it("asks nothing for a page of the store's own origin", async () => {
    const plain = await startPlainStore()
    const argv = ['test', 's3://box', '--origin', plain.endpoint]
    expect((await call(argv, {AWS_ENDPOINT_URL: plain.endpoint})).stdout).to.include("the page's own origin")
    expect(plain.requests).to.have.length(0)
    await plain.close()
  })

  it('tells of headers that no page can set, and leaves them away', async () => {
    const {stderr, stdout} = await test(
      's3://box',
      '--origin',
      'https://a.example',
      '--header',
      'Host',
      '--header',
      'X-A',
    )
    expect(stderr).to.include('Browsers let no page set Host: it is left away.')
    expect(stdout).to.include('PUT, x-a: ')
  })

  it('ends with the status of a store that does not answer', async () => {
    const {stdout, status} = await call(['test', 's3://box', '--origin', 'https://a.example'], {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    })
    expect(stdout).to.include('✗ preflight  127.0.0.1:1 refused the connection.')
    expect(status).to.equal(8)
  })

  const REFUSED: readonly (readonly [argv: readonly string[], words: RegExp])[] = [
    [['s3://box'], /Missing required flag origin/u],
    [['s3://', '--origin', 'null'], /names no container/u],
    [['s3://box', '--origin', '*'], /is a pattern/u],
    [['s3://box', '--origin', 'https://*.a.example'], /is a pattern/u],
    [['s3://box', '--origin', 'a.example'], /is not an origin/u],
    [['s3://box', '--origin', 'https://a.example/'], /goes on after the host/u],
    [['s3://box', '--origin', 'https://A.example'], /Write it as https:\/\/a\.example\./u],
    [['s3://box', '--origin', 'https://a.example:443'], /Write it as https:\/\/a\.example\./u],
    [['s3://box', '--origin', 'null', '--method', 'PATCH'], /Expected --method=PATCH/u],
    [['s3://box', '--origin', 'null', '--header', 'a b'], /does not begin with the name of a header/u],
  ]
  for (const [argv, words] of REFUSED) {
    it(`refuses ${JSON.stringify(argv)}`, async () => {
      const {status, stdout, stderr} = await test(...argv)
      expect(stderr).to.match(words)
      expect({status, stdout}).to.deep.equal({status: 2, stdout: ''})
    })
  }

  it('knows what a preflight asks for, and when there is none', () => {
    const headers = ['X-B', 'Content-Type: text/plain; charset=utf-8', 'accept: a/b', 'content-type', 'x-a: 1', 'X-A']
    expect(findUnsafeHeaders(headers)).to.deep.equal(['content-type', 'x-a', 'x-b'])
    const page = {origin: 'https://a.example', unsafeHeaders: []}
    expect(['GET', 'HEAD', 'POST', 'PUT', 'DELETE'].filter(method => needsPreflight({...page, method}))).to.deep.equal([
      'PUT',
      'DELETE',
    ])
    expect(needsPreflight({...page, method: 'GET', unsafeHeaders: ['x-a']})).to.equal(true)
    expect(['Host', 'Sec-Fetch-Mode', 'Content-Length', 'Origin'].every(isForbiddenHeader)).to.equal(true)
    expect(['Content-MD5', 'Authorization', 'X-Amz-Date', 'Range'].some(isForbiddenHeader)).to.equal(false)
  })

  it('knows that a page of https may not speak http, but to its own machine', () => {
    const isBlocked = (origin: string, url: string): boolean => checkMixed(origin, new URL(url)) !== undefined
    expect(isBlocked('https://a.example', 'http://store.example')).to.equal(true)
    expect(isBlocked('https://a.example', 'http://10.0.0.1')).to.equal(true)
    for (const url of [
      'https://store.example',
      'http://localhost:9000',
      'http://127.0.0.1',
      'http://[::1]:1',
      'http://a.localhost',
    ]) {
      expect(isBlocked('https://a.example', url), url).to.equal(false)
    }
    expect(isBlocked('http://a.example', 'http://store.example')).to.equal(false)
    expect(isBlocked('null', 'http://store.example')).to.equal(false)
  })
})
