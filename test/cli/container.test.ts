import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {promisify} from 'node:util'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetBucketPolicyCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {needSwift, startSwift} from '../servers/swift.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {answerSkylift, needTerminal} from '../support/terminal.ts'

const run = promisify(execFile)

interface ShowJson {
  readonly container: {
    readonly name: string
    readonly region?: string
    readonly versioning?: boolean
    readonly publicRead?: boolean
    readonly encryption?: string
    readonly cors?: readonly {
      readonly origins: readonly string[]
      readonly methods: readonly string[]
      readonly isOurs: boolean
    }[]
    readonly lifecycle?: readonly {readonly ID: string}[]
    readonly limits: {readonly whole: number; readonly part: {readonly count: number}}
    readonly notes: readonly string[]
  }
}

describe('skylift container', () => {
  let home: Home
  let client: S3Client
  let endpoint: string

  before(async () => {
    const sandbox = await openSandbox()
    endpoint = sandbox.endpoint
    client = openClient(sandbox)
    home = await makeHome(accessEnv(sandbox))
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(['container', ...argv], home)
  const show = async (name: string): Promise<ShowJson['container']> =>
    readJson<ShowJson>(await call('show', `s3://${name}`, '--json')).container
  const put = (Bucket: string, Key: string) => client.send(new PutObjectCommand({Bucket, Key, Body: 'x'}))
  const aws = async (context: Mocha.Context, ...words: string[]): Promise<unknown> => {
    skipUnless(context, existsSync('/usr/bin/aws'), 'the aws client is missing: apt-get install awscli')
    const {stdout} = await run('/usr/bin/aws', ['--endpoint-url', endpoint, 's3api', ...words], {
      env: {...home.env, AWS_PAGER: ''},
    })
    return stdout === '' ? undefined : JSON.parse(stdout)
  }
  const isThere = (Bucket: string): Promise<boolean> =>
    client.send(new HeadBucketCommand({Bucket})).then(
      () => true,
      () => false,
    )

  it('creates one, and says of yours that it was there', async () => {
    const first = await call('create', 's3://fresh')
    expect(first).to.include({status: 0, stdout: 's3://fresh was created.\n', stderr: ''})
    const again = await call('create', 's3://fresh')
    expect(again).to.include({status: 0, stdout: 's3://fresh was yours already.\n', stderr: ''})
    expect(readJson(await call('create', 's3://fresh', '--json'))).to.deep.equal({
      ok: true,
      container: 'fresh',
      created: false,
      notes: [],
    })
  })

  it('gives it the settings that were asked for, and shows them', async () => {
    const words = ['--abort-incomplete', '7d', '--delete-after', '30d', '--cors-origin', 'https://a.example']
    expect((await call('create', 's3://full', ...words, '--cors-origin', 'null')).status).to.equal(0)
    const details = await show('full')
    expect(details.cors).to.deep.equal([
      {
        id: 'skylift-1',
        origins: ['https://a.example', 'null'],
        methods: ['PUT', 'POST', 'GET', 'HEAD'],
        headers: ['*'],
        expose: ['ETag'],
        maxAgeInSeconds: 3600,
        isOurs: true,
      },
    ])
    expect(details.lifecycle?.map(rule => rule.ID)).to.deep.equal(['skylift-abort-incomplete', 'skylift-delete-after'])
    expect(details.limits).to.deep.include({whole: 5 * 1024 ** 3})
    const {stdout} = await call('show', 's3://full')
    expect(stdout)
      .to.match(/^container +full$/mu)
      .and.to.match(/^region +us-east-1$/mu)
    expect(stdout).to.include('skylift-abort-incomplete: drops unfinished uploads after 7 d')
    expect(stdout).to.include('skylift-delete-after: deletes objects after 30 d')
    expect(stdout).to.match(/^skylift-1 +https:\/\/a\.example, null +PUT, POST, GET, HEAD +\* +ETag +3600 s$/mu)
  })

  it("keeps the person's lifecycle rules and merges its own: set and read back by aws-cli", async function () {
    this.timeout(60_000)
    await client.send(new CreateBucketCommand({Bucket: 'merged'}))
    const theirs = {ID: 'theirs', Status: 'Enabled', Filter: {Prefix: 'logs/'}, Expiration: {Days: 3}}
    const words = ['--bucket', 'merged', '--lifecycle-configuration', JSON.stringify({Rules: [theirs]})]
    await aws(this, 'put-bucket-lifecycle-configuration', ...words)
    for (const days of ['7d', '9d']) {
      expect((await call('create', 's3://merged', '--abort-incomplete', days)).status).to.equal(0)
    }
    expect(await aws(this, 'get-bucket-lifecycle-configuration', '--bucket', 'merged')).to.deep.include({
      Rules: [
        theirs,
        {
          ID: 'skylift-abort-incomplete',
          Status: 'Enabled',
          Filter: {Prefix: ''},
          AbortIncompleteMultipartUpload: {DaysAfterInitiation: 9},
        },
      ],
    })
  })

  it('lists them as a table and as JSON', async () => {
    await client.send(new CreateBucketCommand({Bucket: 'listed'}))
    const {stdout} = await call('list', 's3://')
    expect(stdout)
      .to.match(/^CONTAINER +CREATED\n/u)
      .and.to.match(/^listed +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/mu)
    const {containers} = readJson<{containers: {name: string; created: string}[]}>(
      await call('list', 's3://', '--json'),
    )
    expect(containers.map(({name}) => name))
      .to.include('listed')
      .and.to.deep.equal(containers.map(({name}) => name).toSorted())
  })

  it('refuses to delete what is not empty, and deletes what is', async () => {
    await client.send(new CreateBucketCommand({Bucket: 'kept'}))
    await put('kept', 'k')
    const refused = await call('delete', 's3://kept')
    expect(refused).to.include({status: 6, stdout: ''})
    expect(refused.stderr).to.include('Delete its objects first, with -r.')
    expect(await isThere('kept')).to.equal(true)
    await client.send(new CreateBucketCommand({Bucket: 'empty'}))
    expect(await call('delete', 's3://empty')).to.include({status: 0, stdout: 's3://empty was deleted.\n'})
    expect(await isThere('empty')).to.equal(false)
    expect((await call('delete', 's3://empty')).status).to.equal(5)
  })

  it('deletes everything with -r -y, over pages, with unfinished uploads', async function () {
    this.timeout(60_000)
    await client.send(new CreateBucketCommand({Bucket: 'gone'}))
    const keys = Array.from({length: 1100}, (_, index) => `k${index % 7}/${index} ä?#`)
    for (let at = 0; at < keys.length; at += 50) await Promise.all(keys.slice(at, at + 50).map(key => put('gone', key)))
    for (const Key of ['a', 'b']) await client.send(new CreateMultipartUploadCommand({Bucket: 'gone', Key}))
    const ending = await call('delete', 's3://gone', '-r', '-y', '--json')
    expect(readJson(ending)).to.deep.equal({ok: true, container: 'gone', deleted: {objects: 1100, pending: 2}})
    expect(await isThere('gone')).to.equal(false)
  })

  it('asks nobody where there is no terminal, names -y, and does nothing', async () => {
    await client.send(new CreateBucketCommand({Bucket: 'asked'}))
    await put('asked', 'k')
    const refused = await call('delete', 's3://asked', '-r')
    expect(refused).to.include({status: 2, stdout: ''})
    expect(refused.stderr).to.include('Say -y')
    expect((await client.send(new ListObjectsV2Command({Bucket: 'asked'}))).KeyCount).to.equal(1)
    const open = await call('create', 's3://not-open', '--public-read')
    expect(open).to.include({status: 2, stdout: ''})
    expect(open.stderr).to.include('Everybody on the internet will be able to read').and.to.include('Say -y')
    expect(await isThere('not-open')).to.equal(false)
  })

  it('opens one to the public with -y, and can be read then', async () => {
    expect((await call('create', 's3://open', '--public-read', '-y')).status).to.equal(0)
    const {Policy = ''} = await client.send(new GetBucketPolicyCommand({Bucket: 'open'}))
    expect(JSON.parse(Policy)).to.have.nested.property('Statement[0].Action', 's3:GetObject')
    expect((await show('open')).publicRead).to.equal(true)
    await put('open', 'k')
    const link = await callSkylift(['link', 's3://open/k', '--public'], home)
    expect(await (await fetch(link.stdout.trim())).text()).to.equal('x')
  })

  describe('on a terminal', () => {
    before(function () {
      needTerminal(this)
    })

    it('deletes when the name is typed, and only then', async () => {
      await client.send(new CreateBucketCommand({Bucket: 'typed'}))
      await put('typed', 'k')
      const argv = ['container', 'delete', 's3://typed', '-r']
      const question = /Type its name to go on:/u
      for (const answer of ['y\r', 'typo\r', '\r', '\u0003', '\u0004']) {
        const {status, screen} = await answerSkylift(argv, {env: home.env, question, answer})
        expect(status, screen).to.equal(130)
        expect(screen).to.include('Nothing was done.')
      }
      expect((await client.send(new ListObjectsV2Command({Bucket: 'typed'}))).KeyCount).to.equal(1)
      const {status, screen} = await answerSkylift(argv, {env: home.env, question, answer: 'typed\r'})
      expect(status, screen).to.equal(0)
      expect(screen).to.include('s3://typed was deleted. Deleted 1 object and 0 unfinished uploads.')
      expect(await isThere('typed')).to.equal(false)
    })

    it('opens to the public when asked and answered', async () => {
      const argv = ['container', 'create', 's3://perhaps', '--public-read']
      const question = /Go on\? \[y\/N\]/u
      expect((await answerSkylift(argv, {env: home.env, question, answer: '\r'})).status).to.equal(130)
      expect(await isThere('perhaps')).to.equal(false)
      expect((await answerSkylift(argv, {env: home.env, question, answer: 'y\r'})).status).to.equal(0)
      expect((await show('perhaps')).publicRead).to.equal(true)
    })
  })

  it('is a topic named bucket too', async () => {
    expect((await callSkylift(['bucket', 'create', 's3://aliased'], home)).status).to.equal(0)
    expect((await callSkylift(['bucket', 'show', 's3://aliased'], home)).stdout).to.match(/^container +aliased$/mu)
    expect((await callSkylift(['bucket', 'list', 's3://'], home)).stdout).to.match(/^aliased /mu)
    expect((await callSkylift(['bucket', 'delete', 's3://aliased'], home)).status).to.equal(0)
  })

  const REFUSED: readonly (readonly [argv: readonly string[], words: RegExp, status?: number])[] = [
    [['create', 's3://'], /names no container/u],
    [['create', 's3://c/k'], /names something in a container/u],
    [['create', 'c'], /is not a target/u],
    [['create', 's3://UPPER_case!'], /name/iu],
    [['create', 's3://c', '--abort-incomplete', '36h'], /--abort-incomplete: containers count in whole days/u],
    [['create', 's3://c', '--delete-after', 'never'], /is not a duration/u],
    [['create', 's3://c', '--cors-origin', 'example.com'], /is not an origin/u],
    [['create', 's3://c', '--encryption', 'rot13'], /is no encryption that S3 knows/u],
    [['list', 's3://c'], /containers are listed of a whole remote/u],
    [['list'], /Missing 1 required arg/u],
    [['show', 's3://nowhere-to-be-found'], /nowhere-to-be-found/u, 5],
    [['delete', 's3://c/k'], /names something in a container/u],
    [['delete', 's3://nowhere-to-be-found', '-r', '-y'], /nowhere-to-be-found/u, 5],
    [['show', 'unknown://c'], /There is no remote "unknown"/u],
  ]
  for (const [argv, words, wanted = 2] of REFUSED) {
    it(`refuses ${JSON.stringify(argv)}`, async () => {
      const {status, stdout, stderr} = await call(...argv)
      expect(stderr).to.match(words)
      expect({status, stdout}).to.deep.equal({status: wanted, stdout: ''})
    })
  }
})

describe("skylift container: Swift's S3 API", () => {
  let home: Home

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    home = await makeHome(accessEnv((await startSwift()).s3))
  })

  const call = (...argv: string[]): Promise<Ending> => callSkylift(['container', ...argv], home)

  it('creates, lists, shows and deletes', async function () {
    this.timeout(60_000)
    expect((await call('create', 's3://cli-box')).stdout).to.equal('s3://cli-box was created.\n')
    expect((await call('create', 's3://cli-box')).stdout).to.equal('s3://cli-box was yours already.\n')
    expect((await call('list', 's3://')).stdout).to.match(/^cli-box /mu)
    const shown = await call('show', 's3://cli-box')
    expect(shown.status).to.equal(0)
    expect(shown.stdout)
      .to.match(/^limits .*1,000 parts/mu)
      .and.to.include('The store does not tell the CORS rules.')
    expect((await call('delete', 's3://cli-box', '-r', '-y')).status).to.equal(0)
    expect((await call('show', 's3://cli-box')).status).to.equal(5)
  })

  it('says what it cannot, and what to do instead', async () => {
    const lifecycle = await call('create', 's3://cli-box-2', '--abort-incomplete', '7d')
    expect(lifecycle.status).to.equal(2)
    expect(lifecycle.stderr).to.include('exists, but without lifecycle rules').and.to.include('skylift pending prune')
    const cors = await callSkylift(['cors', 'set', 's3://cli-box-2', '--origin', 'https://a.example'], home)
    expect(cors.status).to.equal(2)
    expect(cors.stderr).to.include('This store has no CORS settings in its S3 API.').and.to.include('swift://')
  })
})
