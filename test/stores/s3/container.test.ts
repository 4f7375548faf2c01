import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {promisify} from 'node:util'
import {
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import type {CORSRule, LifecycleRule} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {createNockedAgents, nock, useNock} from '../../support/nock.ts'
import {startSandbox} from '../../../src/sandbox/server.ts'
import type {Sandbox} from '../../../src/sandbox/server.ts'
import {AWS, SANDBOX} from '../../../src/stores/s3/quirks.ts'
import type {ContainerOptions, CorsRule} from '../../../src/stores/store.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {skipUnless} from '../../support/skip.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import {at, call, failureOf, openDrivers} from './open-drivers.ts'
import type {Drivers} from './open-drivers.ts'

const run = promisify(execFile)

async function names(store: Drivers): Promise<string[]> {
  const found: string[] = []
  for await (const {name} of store.listContainers(call)) found.push(name)
  return found
}

describe('containers of S3: sandbox', () => {
  let sandbox: Sandbox
  let store: Drivers
  let sdk: S3Client
  let count = 0
  /** A container that no other test has. */
  const fresh = async (options: ContainerOptions = {}) => {
    const Bucket = `box-${++count}`
    await store.createContainer(at(Bucket), options, call)
    return Bucket
  }
  /** What aws-cli reads back; it shares no line with us. */
  const aws = async (context: Mocha.Context, verb: string, Bucket: string): Promise<Record<string, unknown>> => {
    context.timeout(60_000)
    skipUnless(context, existsSync('/usr/bin/aws'), 'the aws client is missing: apt-get install awscli')
    const {accessKeyId, secretAccessKey, endpoint, region} = sandbox
    const {stdout} = await run(
      '/usr/bin/aws',
      ['--endpoint-url', endpoint, '--region', region, '--output', 'json', 's3api', verb, '--bucket', Bucket],
      {
        env: {
          PATH: process.env['PATH'],
          HOME: '/nonexistent',
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          AWS_EC2_METADATA_DISABLED: 'true',
        },
      },
    )
    return JSON.parse(stdout) as Record<string, unknown>
  }

  before(async () => {
    sandbox = await startSandbox({folder: await makeTempFolder()})
    store = openDrivers(sandbox, {quirks: SANDBOX})
    const {endpoint, region, ...credentials} = sandbox
    sdk = new S3Client({endpoint, region, credentials, forcePathStyle: true})
  })
  after(async () => {
    sdk.destroy()
    store.close()
    await sandbox.close()
  })

  it('makes, lists and deletes; made twice is success', async () => {
    const before = new Date(Date.now() - 1000)
    expect(await store.createContainer(at('first'), {}, call)).to.deep.equal({created: true, notes: []})
    expect(await store.createContainer(at('first'), {}, call)).to.deep.equal({created: false, notes: []})
    expect(await names(store)).to.include('first')
    for await (const {name, created} of store.listContainers(call)) {
      if (name === 'first') expect(created).to.be.within(before, new Date())
    }
    await store.deleteContainer(at('first'), call)
    expect(await names(store)).not.to.include('first')
    expect(await failureOf(store.deleteContainer(at('first'), call))).to.include({code: 'not-found'})
    expect(await failureOf(store.showContainer(at('first'), call))).to.include({code: 'not-found'})
    expect((await store.createContainer(at('first'), {}, call)).created).to.equal(true)
  })

  it('does not delete what is not empty', async () => {
    const box = await fresh()
    await store.put(box, 'key', 'bytes')
    const failure = await failureOf(store.deleteContainer(at(box), call))
    expect(failure).to.include({code: 'exists', message: `The container "${box}" is not empty.`})
    expect(failure['suggestion']).to.match(/Old versions/u)
    expect(await names(store)).to.include(box)
  })

  it('sets all that is wished for, and shows it', async () => {
    const box = await fresh({
      region: 'eu-west-1',
      versioning: true,
      publicRead: true,
      abortIncompleteAfterInDays: 7,
      deleteAfterInDays: 30,
      corsOrigins: ['https://a.example', 'null'],
      encryption: 'AES256',
    })
    const {cors, lifecycle, ...details} = await store.showContainer(at(box), call)
    expect(details).to.deep.equal({
      name: box,
      region: 'eu-west-1',
      versioning: true,
      publicRead: true,
      encryption: 'AES256',
      limits: SANDBOX.limits,
      checksum: 'crc32',
      notes: [],
    })
    expect(cors).to.deep.equal([
      {
        id: 'skylift-1',
        origins: ['https://a.example', 'null'],
        methods: ['PUT', 'POST', 'GET', 'HEAD'],
        headers: ['*'],
        expose: ['ETag'],
        maxAgeInSeconds: 3600,
      },
    ])
    expect(lifecycle).to.have.length(2)
    await store.put(box, 'for all', 'to read')
    const reply = await fetch(await store.publicUrl(at(box, 'for all'), call))
    expect([reply.status, await reply.text()]).to.deep.equal([200, 'to read'])
  })

  it('shows a container with nothing set', async () => {
    const box = await fresh()
    expect(await store.showContainer(at(box), call)).to.deep.equal({
      name: box,
      region: sandbox.region,
      versioning: false,
      publicRead: false,
      cors: [],
      lifecycle: [],
      limits: SANDBOX.limits,
      checksum: 'crc32',
      notes: [],
    })
    await store.put(box, 'mine', 'mine')
    expect((await fetch(await store.publicUrl(at(box, 'mine'), call))).status).to.equal(403)
  })

  it('sets a container that is there already', async () => {
    const box = await fresh()
    const again = await store.createContainer(at(box), {versioning: true, region: 'eu-west-3'}, call)
    expect(again).to.deep.equal({
      created: false,
      notes: [`The container stands in ${sandbox.region} and cannot move to eu-west-3.`],
    })
    expect((await store.showContainer(at(box), call)).versioning).to.equal(true)
    await store.createContainer(at(box), {versioning: false}, call)
    expect((await store.showContainer(at(box), call)).versioning).to.equal(false)
  })

  it("keeps the person's lifecycle rules; aws-cli reads all", async function () {
    const box = await fresh()
    const theirs: LifecycleRule[] = [
      {
        ID: 'logs',
        Status: 'Enabled',
        Filter: {And: {Prefix: 'logs/', Tags: [{Key: 'keep', Value: 'no'}], ObjectSizeGreaterThan: 10}},
        Expiration: {Days: 3},
        Transitions: [{Days: 1, StorageClass: 'GLACIER'}],
      },
      {ID: 'off', Status: 'Disabled', Filter: {Prefix: ''}, AbortIncompleteMultipartUpload: {DaysAfterInitiation: 1}},
    ]
    await sdk.send(new PutBucketLifecycleConfigurationCommand({Bucket: box, LifecycleConfiguration: {Rules: theirs}}))
    await store.createContainer(at(box), {abortIncompleteAfterInDays: 7}, call)
    await store.createContainer(at(box), {abortIncompleteAfterInDays: 2, deleteAfterInDays: 30}, call)
    await store.createContainer(at(box), {deleteAfterInDays: 31}, call)
    const {Rules} = await aws(this, 'get-bucket-lifecycle-configuration', box)
    expect(Rules).to.deep.equal([
      ...theirs,
      {
        ID: 'skylift-abort-incomplete',
        Status: 'Enabled',
        Filter: {Prefix: ''},
        AbortIncompleteMultipartUpload: {DaysAfterInitiation: 2},
      },
      {ID: 'skylift-delete-after', Status: 'Enabled', Filter: {Prefix: ''}, Expiration: {Days: 31}},
    ])
  })

  it('writes lifecycle rules in the old form where there are old ones', async function () {
    const box = await fresh()
    const old: LifecycleRule = {ID: 'old', Status: 'Enabled', Prefix: 'tmp/', Expiration: {Days: 1}}
    await sdk.send(new PutBucketLifecycleConfigurationCommand({Bucket: box, LifecycleConfiguration: {Rules: [old]}}))
    await store.createContainer(at(box), {deleteAfterInDays: 9, versioning: true}, call)
    const {Rules} = await aws(this, 'get-bucket-lifecycle-configuration', box)
    expect(Rules).to.deep.equal([
      old,
      {
        ID: 'skylift-delete-after',
        Status: 'Enabled',
        Prefix: '',
        Expiration: {Days: 9},
        NoncurrentVersionExpiration: {NoncurrentDays: 9},
      },
    ])
  })

  it("replaces our CORS rules and keeps the person's; aws-cli reads all", async function () {
    const box = await fresh()
    const theirs: CORSRule[] = [
      {ID: 'theirs', AllowedOrigins: ['https://theirs.example'], AllowedMethods: ['GET'], AllowedHeaders: ['x-a']},
      {AllowedOrigins: ['*'], AllowedMethods: ['HEAD'], MaxAgeSeconds: 5},
    ]
    await sdk.send(new PutBucketCorsCommand({Bucket: box, CORSConfiguration: {CORSRules: theirs}}))
    const rule = (origin: string): CorsRule => ({origins: [origin], methods: ['PUT'], headers: [], expose: []})
    const notes = await store.setCors(at(box), [rule('https://one.example'), rule('https://two.example')], call)
    expect(notes).to.deep.equal(['2 other CORS rules of the container were kept, after these.'])
    await store.setCors(at(box), [{...rule('https://three.example'), id: 'mine', maxAgeInSeconds: 60}], call)
    const {CORSRules} = await aws(this, 'get-bucket-cors', box)
    expect(CORSRules).to.deep.equal([
      {ID: 'skylift-mine', AllowedOrigins: ['https://three.example'], AllowedMethods: ['PUT'], MaxAgeSeconds: 60},
      ...theirs,
    ])
    expect((await store.getCors(at(box), call)).map(({id}) => id)).to.deep.equal(['skylift-mine', 'theirs', undefined])
    await store.setCors(at(box), [], call)
    expect((await store.getCors(at(box), call)).map(({id}) => id)).to.deep.equal(['theirs', undefined])
    await store.clearCors(at(box), call)
    await store.clearCors(at(box), call)
    expect(await store.getCors(at(box), call)).to.deep.equal([])
  })

  it('lets origins in beside those of earlier rules of ours, while they are wanted', async () => {
    const box = await fresh({corsOrigins: ['https://a.example', 'http://127.0.0.1:5']})
    const [{id: _, ...rule}] = (await store.getCors(at(box), call)) as [CorsRule]
    const other: CorsRule = {origins: ['https://o.example'], methods: ['GET'], headers: [], expose: []}
    const theirs: CORSRule = {ID: 'theirs', AllowedOrigins: ['https://t.example'], AllowedMethods: ['GET']}
    await sdk.send(new PutBucketCorsCommand({Bucket: box, CORSConfiguration: {CORSRules: [theirs]}}))
    await store.setCors(at(box), [rule, other], call)
    const isWanted = (origin: string): boolean => !origin.includes('127')
    for (let time = 0; time < 2; time++) {
      await store.addCors(at(box), {...rule, origins: ['https://b.example']}, isWanted, call)
      const rules = await store.getCors(at(box), call)
      expect(rules.map(({id, origins}) => [id, origins])).to.deep.equal([
        ['skylift-1', ['https://b.example', 'https://a.example']],
        ['skylift-2', ['https://o.example']],
        ['theirs', ['https://t.example']],
      ])
      expect(rules[0]).to.deep.include({methods: rule.methods, headers: rule.headers, expose: rule.expose})
    }
  })

  it('does not double rules where the store lost their ids', async () => {
    const box = await fresh({corsOrigins: ['https://a.example']})
    const [{id: _, ...rule}] = (await store.getCors(at(box), call)) as [CorsRule]
    const CORSRules = [
      {
        AllowedOrigins: [...rule.origins],
        AllowedMethods: [...rule.methods],
        AllowedHeaders: [...rule.headers],
        ExposeHeaders: [...rule.expose],
        MaxAgeSeconds: 3600,
      },
    ]
    await sdk.send(new PutBucketCorsCommand({Bucket: box, CORSConfiguration: {CORSRules}}))
    expect(await store.setCors(at(box), [rule], call)).to.deep.equal([])
    expect(await store.getCors(at(box), call)).to.have.length(1)
  })

  it('removes our only CORS rules with an empty set', async () => {
    const box = await fresh({corsOrigins: ['https://a.example']})
    await store.setCors(at(box), [], call)
    expect(await store.getCors(at(box), call)).to.deep.equal([])
  })

  it("keeps the person's policy when a container becomes public, once", async function () {
    const box = await fresh()
    const theirs = {
      Sid: 'theirs',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${box}/secret/*`,
    }
    const Policy = JSON.stringify({Version: '2012-10-17', Statement: theirs})
    await sdk.send(new PutBucketPolicyCommand({Bucket: box, Policy}))
    await sdk.send(
      new PutPublicAccessBlockCommand({
        Bucket: box,
        PublicAccessBlockConfiguration: {BlockPublicPolicy: true, RestrictPublicBuckets: true},
      }),
    )
    expect((await store.showContainer(at(box), call)).publicRead).to.equal(false)
    await store.createContainer(at(box), {publicRead: true}, call)
    await store.createContainer(at(box), {publicRead: true}, call)
    expect((await store.showContainer(at(box), call)).publicRead).to.equal(true)
    const {Policy: text} = await aws(this, 'get-bucket-policy', box)
    const {Statement} = JSON.parse(String(text)) as {Statement: {Sid: string}[]}
    expect(Statement.map(({Sid}) => Sid)).to.deep.equal(['theirs', 'SkyliftPublicRead'])
    for (const [key, status] of Object.entries({open: 200, 'secret/x': 403})) {
      await store.put(box, key, 'text')
      expect((await fetch(await store.publicUrl(at(box, key), call))).status, key).to.equal(status)
    }
  })

  it('takes a KMS key for the encryption', async function () {
    const arn = 'arn:aws:kms:us-east-1:111122223333:key/abc'
    const box = await fresh({encryption: `aws:kms:${arn}`})
    expect((await store.showContainer(at(box), call)).encryption).to.equal(`aws:kms:${arn}`)
    const {ServerSideEncryptionConfiguration} = await aws(this, 'get-bucket-encryption', box)
    expect(ServerSideEncryptionConfiguration).to.deep.equal({
      Rules: [{ApplyServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn}}],
    })
  })

  const wrong: [string, ContainerOptions, string][] = [
    ['half a day', {deleteAfterInDays: 0.5}, 'usage'],
    ['no day', {abortIncompleteAfterInDays: 0}, 'usage'],
    ['an unknown encryption', {encryption: 'rot13'}, 'usage'],
    ['a key for AES256', {encryption: 'AES256:key'}, 'usage'],
    ['a storage policy', {policy: 'gold'}, 'unsupported'],
  ]
  for (const [name, options, code] of wrong) {
    it(`refuses ${name} before anything is made`, async () => {
      expect(await failureOf(store.createContainer(at('never'), options, call))).to.include({code})
      expect(await names(store)).not.to.include('never')
    })
  }

  it('refuses a name that is not allowed, and a region that is none', async () => {
    expect(await failureOf(store.createContainer(at('Not_Allowed'), {}, call))).to.include({code: 'usage'})
    const failure = await failureOf(store.createContainer(at('nowhere'), {region: 'no such place'}, call))
    expect(failure).to.include({code: 'usage', message: 'The store has no region "no such place".'})
  })
})

describe("containers of S3: OpenStack Swift's S3 API", () => {
  let store: Drivers

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    store = openDrivers((await startSwift()).s3)
  })
  after(() => store?.close())

  it('makes, lists and deletes; made twice is success', async () => {
    expect(await store.createContainer(at('swift-first'), {}, call)).to.deep.equal({created: true, notes: []})
    expect(await store.createContainer(at('swift-first'), {region: 'us-east-1'}, call)).to.deep.equal({
      created: false,
      notes: [],
    })
    expect(await names(store)).to.include('swift-first')
    await store.put('swift-first', 'key', 'bytes')
    expect(await failureOf(store.deleteContainer(at('swift-first'), call))).to.include({code: 'exists'})
    await store.deleteObject(at('swift-first', 'key'), call)
    await store.deleteContainer(at('swift-first'), call)
    expect(await names(store)).not.to.include('swift-first')
  })

  it('says which region there is not', async () => {
    const failure = await failureOf(store.createContainer(at('swift-region'), {region: 'eu-west-1'}, call))
    expect(failure).to.include({code: 'usage', message: 'The store has no region "eu-west-1".'})
  })

  it('shows what it can, and says what the store does not tell', async () => {
    await store.createContainer(at('swift-show'), {}, call)
    const {notes, limits: _, ...details} = await store.showContainer(at('swift-show'), call)
    expect(details).to.deep.equal({name: 'swift-show', region: 'us-east-1', versioning: false})
    expect(notes).to.deep.equal([
      'The store does not tell the CORS rules.',
      'The store does not tell the encryption.',
      'The store does not tell the lifecycle rules.',
      'The store does not tell the public access.',
    ])
  })

  const lacks: [string, ContainerOptions, RegExp][] = [
    ['lifecycle rules', {abortIncompleteAfterInDays: 7}, /pending prune/u],
    ['CORS', {corsOrigins: ['https://a.example']}, /console/u],
    ['encryption', {encryption: 'AES256'}, /encrypt the files/u],
  ]
  for (const [name, options, suggestion] of lacks) {
    it(`makes the container and fails, for it has no ${name}`, async () => {
      const box = `swift-lacks-${name.slice(0, 4).toLowerCase()}`
      const failure = await failureOf(store.createContainer(at(box), options, call))
      expect(failure).to.include({code: 'unsupported'})
      expect(failure.message).to.match(new RegExp(`^The container "${box}" exists, but without ${name}: `, 'u'))
      expect(failure['suggestion']).to.match(suggestion)
      expect(await names(store)).to.include(box)
    })
  }

  it('names everything that could not be had', async () => {
    const options = {corsOrigins: ['*'], encryption: 'AES256', deleteAfterInDays: 1}
    const failure = await failureOf(store.createContainer(at('swift-all'), options, call))
    expect(failure.message).to.match(/without encryption and lifecycle rules and CORS: /u)
  })

  it('has no CORS to get, set or clear', async () => {
    await store.createContainer(at('swift-cors'), {}, call)
    const rule = {origins: ['*'], methods: ['GET'], headers: [], expose: []}
    for (const ask of [
      async () => store.getCors(at('swift-cors'), call),
      async () => store.setCors(at('swift-cors'), [rule], call),
      async () => store.clearCors(at('swift-cors'), call),
    ]) {
      const failure = await failureOf(ask())
      expect(failure).to.include({code: 'unsupported'})
      expect(failure['suggestion']).to.match(/swift:\/\//u)
    }
    expect(await failureOf(store.getCors(at('swift-none'), call))).to.include({code: 'unsupported'})
  })

  it('becomes public by its ACL', async () => {
    const {notes} = await store.createContainer(at('swift-public'), {publicRead: true}, call)
    expect(notes.join(' ')).to.match(/by its ACL/u)
    await store.put('swift-public', 'key', 'for all')
    const {v1} = await startSwift()
    expect(await (await fetch(`${v1.storageUrl}/swift-public/key`)).text()).to.equal('for all')
  })
})

describe('containers of S3: the wire', () => {
  const keys = {accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret'}
  const ENDPOINT = 'https://store.example'
  const agents = createNockedAgents()
  const open = () => openDrivers({...keys, endpoint: ENDPOINT, region: 'us-east-1'}, {agents})
  const error = (code: string, message = 'Words of the store.') =>
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
  const list = (...all: string[]) =>
    `<ListAllMyBucketsResult><Buckets>${all.map(name => `<Bucket><Name>${name}</Name></Bucket>`).join('')}</Buckets></ListAllMyBucketsResult>`

  afterEach(() => {
    expect(nock.pendingMocks()).to.deep.equal([])
  })
  useNock()

  it('"already exists" of what the store lists as yours is success', async () => {
    nock(ENDPOINT).head('/box/').reply(200).put('/box/').reply(409, error('BucketAlreadyExists'))
    nock(ENDPOINT).get('/').query(true).reply(200, list('other', 'box'))
    expect(await open().createContainer(at('box'), {}, call)).to.deep.equal({created: false, notes: []})
  })

  it("somebody else's fails exists, though it can be looked at", async () => {
    nock(ENDPOINT).head('/box/').reply(200).put('/box/').reply(409, error('BucketAlreadyExists'))
    nock(ENDPOINT).get('/').query(true).reply(200, list('other'))
    const failure = await failureOf(open().createContainer(at('box'), {}, call))
    expect(failure).to.include({code: 'exists', message: 'The name "box" is taken by somebody else.'})
  })

  it('where containers may not be listed, being allowed to look decides', async () => {
    for (const [status, outcome] of [
      [200, 'yours'],
      [403, 'exists'],
    ] as const) {
      nock(ENDPOINT).head('/box/').reply(status).put('/box/').reply(409, error('BucketAlreadyExists'))
      nock(ENDPOINT).get('/').query(true).reply(403, error('AccessDenied'))
      const result = await open()
        .createContainer(at('box'), {}, call)
        .then(({created}) => (created ? 'new' : 'yours'))
        .catch((failure: {code: string}) => failure.code)
      expect(result).to.equal(outcome)
    }
  })

  it('names may have a prefix, in refusals as in lists', async () => {
    const prefixed = (text: string) =>
      text.replaceAll(/<(\/?)(?=\w)/gu, '<$1s3:').replace('>', ' xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/">')
    nock(ENDPOINT).delete('/box/').reply(409, prefixed('<Error><Code>BucketNotEmpty</Code></Error>'))
    expect(await failureOf(open().deleteContainer(at('box'), call))).to.include({code: 'exists', retryable: false})
    nock(ENDPOINT)
      .get('/')
      .query(true)
      .reply(200, `<?xml version="1.0"?>\n${prefixed(list('one', 'two'))}`)
    expect(await names(open())).to.deep.equal(['one', 'two'])
  })

  it('AWS itself is believed', async () => {
    const store = openDrivers({...keys, region: 'us-east-1'}, {quirks: AWS, agents})
    nock('https://box.s3.us-east-1.amazonaws.com')
      .head('/')
      .reply(200)
      .put('/')
      .reply(409, error('BucketAlreadyExists'))
    expect(await failureOf(store.createContainer(at('box'), {}, call))).to.include({code: 'exists'})
  })

  it('a container of AWS is made where its region is', async () => {
    const store = openDrivers({...keys, region: 'us-west-2'}, {quirks: AWS, agents})
    const bodies: unknown[] = []
    const record = (body: unknown) => bodies.push(body) > 0
    nock('https://box.s3.us-west-2.amazonaws.com').head('/').times(3).reply(404)
    nock('https://box.s3.eu-central-1.amazonaws.com').put('/', record).reply(200)
    nock('https://box.s3.us-west-2.amazonaws.com').put('/', record).reply(200)
    nock('https://box.s3.us-east-1.amazonaws.com').put('/', record).reply(200)
    expect((await store.createContainer(at('box'), {region: 'eu-central-1'}, call)).created).to.equal(true)
    await store.createContainer(at('box'), {}, call)
    await store.createContainer(at('box'), {region: 'us-east-1'}, call)
    const regions = bodies.map(body => /<LocationConstraint>(.*)<\/LocationConstraint>/u.exec(String(body))?.[1])
    expect(regions).to.deep.equal(['eu-central-1', 'us-west-2', undefined])
  })

  it('a document is sent again with Content-MD5 where the store wants that', async () => {
    const rule: CorsRule = {origins: ['*'], methods: ['GET'], headers: [], expose: []}
    nock(ENDPOINT).get('/box/').query({cors: ''}).reply(404, error('NoSuchCORSConfiguration'))
    nock(ENDPOINT, {badheaders: ['content-md5']})
      .put('/box/')
      .query({cors: ''})
      .reply(400, error('InvalidRequest', 'Missing required header for this request: Content-MD5'))
    nock(ENDPOINT, {reqheaders: {'content-md5': /^[\w+/]{22}==$/u}})
      .put('/box/')
      .query({cors: ''})
      .reply(200)
    expect(await open().setCors(at('box'), [rule], call)).to.deep.equal([])
  })

  it('a store that passes over what it does not know is not sent a PUT or DELETE of the container', async () => {
    const listing = '<ListBucketResult><Name>box</Name></ListBucketResult>'
    const rule: CorsRule = {origins: ['*'], methods: ['GET'], headers: [], expose: []}
    nock(ENDPOINT)
      .get(/^\/box/u)
      .query({cors: ''})
      .times(6)
      .reply(200, listing)
    for (const ask of [
      async () => open().clearCors(at('box'), call),
      async () => open().setCors(at('box'), [rule], call),
      async () => open().getCors(at('box'), call),
    ]) {
      expect(await failureOf(ask())).to.include({code: 'unsupported'})
    }
  })

  it('a public access block is lifted for policies only, and never deleted', async () => {
    const block = (policies: boolean) =>
      ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets']
        .map(name => `<${name}>${name.includes('Acls') || policies}</${name}>`)
        .join('')
    const sent: string[] = []
    nock(ENDPOINT).head('/box/').reply(200).put('/box/').reply(200)
    nock(ENDPOINT)
      .get('/box/')
      .query({publicAccessBlock: ''})
      .reply(200, `<PublicAccessBlockConfiguration>${block(true)}</PublicAccessBlockConfiguration>`)
    nock(ENDPOINT)
      .put('/box/', body => sent.push(String(body)) > 0)
      .query({publicAccessBlock: ''})
      .reply(200)
    nock(ENDPOINT).get('/box/').query({policy: ''}).reply(404, error('NoSuchBucketPolicy'))
    nock(ENDPOINT).put('/box/').query({policy: ''}).reply(204)
    await open().createContainer(at('box'), {publicRead: true}, call)
    expect(sent.join('')).to.include(block(false))
  })

  it('rules that may not be read are not written over', async () => {
    nock(ENDPOINT).head('/box/').reply(200).put('/box/').reply(200)
    nock(ENDPOINT).get('/box/').query({lifecycle: ''}).reply(403, error('AccessDenied'))
    const failure = await failureOf(open().createContainer(at('box'), {deleteAfterInDays: 1}, call))
    expect(failure).to.include({code: 'forbidden'})
    expect(failure.message).to.match(/^The container "box" exists, but without lifecycle rules: /u)
  })

  it('a listing in many pages is read to its end', async () => {
    const token = '<ContinuationToken>next</ContinuationToken>'
    nock(ENDPOINT)
      .get('/')
      .query(query => query['continuation-token'] === undefined)
      .reply(200, list('one').replace('</ListAll', `${token}</ListAll`))
    nock(ENDPOINT)
      .get('/')
      .query(query => query['continuation-token'] === 'next')
      .reply(200, list('two'))
    expect(await names(open())).to.deep.equal(['one', 'two'])
  })

  it('a look that is not allowed is left out, with a note', async () => {
    nock(ENDPOINT).head('/box/').reply(200, '', {'x-amz-bucket-region': 'us-east-1'})
    nock(ENDPOINT).get('/box/').query(true).times(5).reply(403, error('AccessDenied'))
    const {notes, limits: _, ...details} = await open().showContainer(at('box'), call)
    expect(details).to.deep.equal({name: 'box', region: 'us-east-1'})
    expect(notes).to.deep.equal([
      'These credentials may not look at the CORS rules.',
      'These credentials may not look at the encryption.',
      'These credentials may not look at the lifecycle rules.',
      'These credentials may not look at the public access.',
      'These credentials may not look at the versioning.',
    ])
  })
})
