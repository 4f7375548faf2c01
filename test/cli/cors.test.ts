import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {promisify} from 'node:util'
import {CreateBucketCommand, PutBucketCorsCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {answerSkylift, needTerminal} from '../support/terminal.ts'

const run = promisify(execFile)

interface CorsJson {
  readonly rules: readonly {
    readonly id?: string
    readonly origins: readonly string[]
    readonly methods: readonly string[]
    readonly headers: readonly string[]
    readonly expose: readonly string[]
    readonly maxAgeInSeconds?: number
    readonly isOurs: boolean
  }[]
  readonly notes?: readonly string[]
  readonly removed?: number
}

const THEIRS = {ID: 'theirs', AllowedOrigins: ['https://their.example'], AllowedMethods: ['GET'], MaxAgeSeconds: 5}

describe('skylift cors', () => {
  let home: Home
  let client: S3Client
  let endpoint: string

  before(async () => {
    const sandbox = await openSandbox()
    endpoint = sandbox.endpoint
    client = openClient(sandbox)
    home = await makeHome(accessEnv(sandbox))
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(['cors', ...argv], home)
  const json = async (...argv: string[]): Promise<CorsJson> => readJson<CorsJson>(await call(...argv, '--json'))
  const putTheirs = (...CORSRules: object[]) =>
    client.send(new PutBucketCorsCommand({Bucket: 'box', CORSConfiguration: {CORSRules: CORSRules as never}}))
  const preflight = async (origin: string, method: string, headers = 'content-md5'): Promise<Response> =>
    fetch(`${endpoint}/box/k`, {
      method: 'OPTIONS',
      headers: {origin, 'access-control-request-method': method, 'access-control-request-headers': headers},
    })

  it('sets what the upload page needs, so that a browser may upload', async () => {
    const {stdout, stderr, status} = await call(
      'set',
      's3://box',
      '--preset',
      'browser-upload',
      '--origin',
      'https://a.example',
    )
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(stdout).to.equal(`ID         ORIGINS            METHODS               HEADERS  EXPOSED  MAX AGE
skylift-1  https://a.example  PUT, POST, GET, HEAD  *        ETag     3600 s
`)
    const answer = await preflight('https://a.example', 'PUT')
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('access-control-allow-origin')).to.equal('https://a.example')
    expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).to.include('content-md5')
    expect((await preflight('https://b.example', 'PUT')).status).to.equal(403)
    const {rules} = await json('show', 's3://box')
    expect(rules).to.deep.equal([
      {
        id: 'skylift-1',
        origins: ['https://a.example'],
        methods: ['PUT', 'POST', 'GET', 'HEAD'],
        headers: ['*'],
        expose: ['ETag'],
        maxAgeInSeconds: 3600,
        isOurs: true,
      },
    ])
  })

  it('makes the same rule as container create --cors-origin', async () => {
    const origin = ['https://same.example']
    await call('set', 's3://box', '--preset', 'browser-upload', '--origin', ...origin)
    await callSkylift(['container', 'create', 's3://other', '--cors-origin', ...origin], home)
    expect((await json('show', 's3://other')).rules).to.deep.equal((await json('show', 's3://box')).rules)
  })

  it('takes every flag, several times; the preset gives way', async () => {
    const origins = ['--origin', 'https://a.example', '--origin', 'http://localhost:*']
    const words = [
      '--method',
      'GET',
      '--method',
      'PUT',
      '--header',
      'content-type',
      '--header',
      'x-amz-*',
      '--expose',
      'ETag',
    ]
    const {rules} = await json(
      'set',
      's3://box',
      ...origins,
      ...words,
      '--expose',
      'x-amz-version-id',
      '--max-age',
      '1d',
    )
    expect(rules).to.deep.equal([
      {
        id: 'skylift-1',
        origins: ['https://a.example', 'http://localhost:*'],
        methods: ['GET', 'PUT'],
        headers: ['content-type', 'x-amz-*'],
        expose: ['ETag', 'x-amz-version-id'],
        maxAgeInSeconds: 86_400,
        isOurs: true,
      },
    ])
    const narrow = await json(
      'set',
      's3://box',
      '--preset',
      'browser-upload',
      '--origin',
      'https://a.example',
      '--method',
      'PUT',
    )
    expect(narrow.rules[0]).to.deep.include({methods: ['PUT'], headers: ['*'], maxAgeInSeconds: 3600})
    const plain = await json('set', 's3://box', '--origin', 'https://a.example')
    expect(plain.rules).to.deep.equal([
      {
        id: 'skylift-1',
        origins: ['https://a.example'],
        methods: ['GET', 'HEAD'],
        headers: [],
        expose: [],
        isOurs: true,
      },
    ])
  })

  it('explains null and *, and lets a page from a file upload', async () => {
    const {stderr} = await call('set', 's3://box', '--preset', 'browser-upload', '--origin', 'null', '--origin', '*')
    expect(stderr).to.include('"null" is the origin of every page that was opened from a file')
    expect(stderr).to.include('"*" lets every page of the web try')
    await call('set', 's3://box', '--preset', 'browser-upload', '--origin', 'null')
    expect((await preflight('null', 'PUT')).status).to.equal(200)
    expect((await preflight('https://a.example', 'PUT')).status).to.equal(403)
  })

  it("keeps the person's rules: set and read back by aws-cli", async function () {
    this.timeout(60_000)
    skipUnless(this, existsSync('/usr/bin/aws'), 'the aws client is missing: apt-get install awscli')
    const env = {...home.env, AWS_PAGER: ''}
    const aws = async (...words: string[]): Promise<string> =>
      (await run('/usr/bin/aws', ['--endpoint-url', endpoint, 's3api', ...words], {env})).stdout
    await aws('put-bucket-cors', '--bucket', 'box', '--cors-configuration', JSON.stringify({CORSRules: [THEIRS]}))
    for (const origin of ['https://a.example', 'https://b.example']) {
      const {stderr, status} = await call('set', 's3://box', '--origin', origin)
      expect(status).to.equal(0)
      expect(stderr).to.include('One other CORS rule of the container was kept, after these.')
    }
    const {CORSRules} = JSON.parse(await aws('get-bucket-cors', '--bucket', 'box')) as {CORSRules: unknown[]}
    expect(CORSRules).to.deep.equal([
      {ID: 'skylift-1', AllowedOrigins: ['https://b.example'], AllowedMethods: ['GET', 'HEAD']},
      THEIRS,
    ])
    expect((await json('show', 's3://box')).rules.map(rule => rule.isOurs)).to.deep.equal([true, false])
  })

  it('clears its own without asking; for others it wants -y and tells how many', async () => {
    await putTheirs().catch(() => {})
    await call('clear', 's3://box', '-y')
    expect((await call('clear', 's3://box')).stdout).to.equal('There were no CORS rules.\n')
    await call('set', 's3://box', '--origin', 'https://a.example')
    expect(await call('clear', 's3://box')).to.include({status: 0, stdout: 'Removed one CORS rule.\n'})
    await putTheirs(THEIRS, {...THEIRS, ID: 'theirs-2', AllowedOrigins: ['https://their-2.example']})
    await call('set', 's3://box', '--origin', 'https://a.example')
    const refused = await call('clear', 's3://box')
    expect(refused).to.include({status: 2, stdout: ''})
    expect(refused.stderr).to.include('Skylift did not make 2 of the 3 CORS rules.').and.to.include('Say -y')
    expect((await json('show', 's3://box')).rules).to.have.length(3)
    expect((await json('clear', 's3://box', '-y')).removed).to.equal(3)
    const shown = await call('show', 's3://box')
    expect(shown).to.include({status: 0, stdout: '', stderr: '"box" has no CORS rules: no web page may use it.\n'})
    expect((await json('show', 's3://box')).rules).to.deep.equal([])
  })

  it('asks on a terminal', async function () {
    needTerminal(this)
    await putTheirs(THEIRS)
    const options = {env: home.env, question: /\[y\/N\]/u}
    expect((await answerSkylift(['cors', 'clear', 's3://box'], {...options, answer: 'n\r'})).status).to.equal(130)
    expect((await json('show', 's3://box')).rules).to.have.length(1)
    const yes = await answerSkylift(['cors', 'clear', 's3://box'], {...options, answer: 'y\r'})
    expect(yes.screen).to.include('Removed one CORS rule, 1 of them not made by Skylift.')
    expect((await json('show', 's3://box')).rules).to.deep.equal([])
  })

  const REFUSED: readonly (readonly [argv: readonly string[], words: RegExp, status?: number])[] = [
    [['set', 's3://box'], /Missing required flag origin/u],
    [['set', 's3://', '--origin', '*'], /names no container/u],
    [['set', 's3://box', '--origin', 'example.com'], /is not an origin/u],
    [['set', 's3://box', '--origin', ''], /is not an origin/u],
    [['set', 's3://box', '--origin', 'https://a.example/'], /goes on after the host/u],
    [['set', 's3://box', '--origin', 'https://a.example/page?x'], /Write it as https:\/\/a\.example\./u],
    [['set', 's3://box', '--origin', 'https://A.example'], /another way.*\n.*Write it as https:\/\/a\.example\./u],
    [['set', 's3://box', '--origin', 'https://a.example:443'], /Write it as https:\/\/a\.example\./u],
    [['set', 's3://box', '--origin', 'https://*.A.example'], /Write it as https:\/\/\*\.a\.example\./u],
    [['set', 's3://box', '--origin', 'https://bücher.example'], /Write it as https:\/\/xn--bcher-kva\.example\./u],
    [['set', 's3://box', '--origin', 'https://user@a.example'], /Write it as https:\/\/a\.example\./u],
    [['set', 's3://box', '--origin', 'https://a.example:99999'], /is not an origin/u],
    [['set', 's3://box', '--origin', 'https://*.a.*'], /more than one "\*"/u],
    [['set', 's3://box', '--origin', 'https://a b'], /goes on after the host|is not an origin/u],
    [['set', 's3://box', '--origin', 'HTTPS://A.example'], /Write it as https:\/\/a\.example\./u],
    [['set', 's3://box', '--origin', 'https://*.a.example:443'], /Write it as https:\/\/\*\.a\.example\./u],
    [['set', 's3://box/public/', '--origin', 'https://a.example'], /the container itself is wanted/u],
    [['clear', 's3://box/public/', '-y'], /the container itself is wanted/u],
    [['show', 's3://box/public/'], /the container itself is wanted/u],
    [['set', 's3://box', '--origin', '*', '--method', 'PATCH'], /Expected --method=PATCH to be one of/u],
    [['set', 's3://box', '--origin', '*', '--header', 'a b'], /cannot be the name of a header/u],
    [['set', 's3://box', '--origin', '*', '--expose', '*'], /each header must be named/u],
    [['set', 's3://box', '--origin', '*', '--max-age', '0'], /is not a duration/u],
    [['set', 's3://box', '--origin', '*', '--max-age', '100y'], /--max-age/u],
    [['set', 's3://box', '--origin', '*', '--preset', 'other'], /Expected --preset=other/u],
    [['set', 's3://nowhere-to-be-found', '--origin', '*'], /nowhere-to-be-found/u, 5],
    [['show', 's3://nowhere-to-be-found'], /nowhere-to-be-found/u, 5],
    [['clear', 's3://nowhere-to-be-found', '-y'], /nowhere-to-be-found/u, 5],
  ]
  for (const [argv, words, wanted = 2] of REFUSED) {
    it(`refuses ${JSON.stringify(argv)}`, async () => {
      const {status, stdout, stderr} = await call(...argv)
      expect(stderr).to.match(words)
      expect({status, stdout}).to.deep.equal({status: wanted, stdout: ''})
    })
  }
})
