import {expect} from 'chai'
import * as fc from 'fast-check'
import {createAgents} from '../../src/http/agents.ts'
import type {Agents} from '../../src/http/agents.ts'
import {bufferBody} from '../../src/core/buffer-body.ts'
import {memoryFindings} from '../../src/stores/findings.ts'
import {checkUrl, hasTickets, hasTempUrlKeys, openStore, openTicket, openProbe} from '../../src/stores/open.ts'
import type {Remote} from '../../src/stores/remote.ts'
import type {Call, Session, Store, Target} from '../../src/stores/store.ts'
import type {Ticket} from '../../src/stores/ticket/ticket.ts'
import {OWNER_TICKET, SAMPLES} from '../stores/ticket/samples.ts'
import {fuzzAsync} from './fuzz.ts'
import {startHostileStore} from './hostile-store.ts'
import type {HostileReply, HostileStore} from './hostile-store.ts'
import {anyDocument, anyText, mutated} from './inputs.ts'

const XML = '<?xml version="1.0" encoding="UTF-8"?>'
const S3_BODIES = [
  "<Error><Code>NoSuchKey</Code><Message>The key &lt;a&gt; expecting 'us-west-1'</Message><Region>eu-west-1</Region></Error>",
  '<ListBucketResult><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType><NextContinuationToken>t</NextContinuationToken><Contents><Key>a%20b</Key><Size>5</Size><ETag>"e"</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>',
  '<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker><Upload><Key>k</Key><UploadId>u</UploadId><Initiated>2026-01-01T00:00:00Z</Initiated></Upload></ListMultipartUploadsResult>',
  '<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker><Part><PartNumber>1</PartNumber><Size>5</Size><ETag>"e"</ETag></Part></ListPartsResult>',
  '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
  '<CompleteMultipartUploadResult><ETag>"e-1"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></CompleteMultipartUploadResult>',
  '<CORSConfiguration><CORSRule><ID>x</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>',
  '<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name><CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket></Buckets><ContinuationToken>t</ContinuationToken></ListAllMyBucketsResult>',
  '<LocationConstraint>eu-west-1</LocationConstraint>',
  '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
  '<html><body>Welcome</body></html>',
  '',
].map(body => (body.startsWith('<h') || body === '' ? body : XML + body))
const XML_WORDS = ['<', '>', '/', '&', '"', '<Error>', 'true', 'false', '<Key>', '</Key>', '&#27;[2J']

const SWIFT_BODIES: readonly unknown[] = [
  [
    {
      name: 'a/skylift-20260101T000000Z-0123456789abcdef/00000001',
      bytes: 5,
      hash: 'ab',
      last_modified: '2026-01-01T00:00:00.1',
      content_type: 'a/b',
    },
    {subdir: 'x/'},
  ],
  [{name: '/c_segments/k/skylift-20260101T000000Z-0123456789abcdef/00000001', bytes: 5, hash: 'ab', sub_slo: false}],
  {
    swift: {max_file_size: 5, version: '2.30', policies: [{name: 'one', default: true}]},
    slo: {max_manifest_segments: 5, min_segment_size: 1},
    tempurl: {allowed_digests: ['sha1'], methods: ['PUT']},
  },
  {'Response Status': '201 Created', 'Response Body': '', Etag: '"e"', Errors: [['/c/k', '404 Not Found']]},
  {container: 'box', key: 'k'},
  [{number: 1, size: 5, etag: 'ab'.repeat(16)}],
  {
    token: {
      expires_at: '2099-01-01T00:00:00Z',
      user: {name: 'u'},
      project: {name: 'p'},
      catalog: [
        {type: 'object-store', name: 'swift', endpoints: [{interface: 'public', region: 'r', url: 'ORIGIN/v1/AUTH_a'}]},
      ],
    },
    access: {
      token: {id: 't', expires: '2099-01-01T00:00:00Z'},
      user: {name: 'u', 'RAX-AUTH:defaultRegion': 'r'},
      serviceCatalog: [
        {type: 'object-store', name: 'swift', endpoints: [{region: 'r', publicURL: 'ORIGIN/v1/AUTH_a'}]},
      ],
    },
  },
  {error: {message: 'no \u001B[2J', code: 401}},
]

const HEADERS: readonly (readonly [name: string, sample: string])[] = [
  ['etag', '"d41d8cd98f00b204e9800998ecf8427e"'],
  ['content-range', 'bytes 0-4/5'],
  ['content-type', 'application/xml'],
  ['retry-after', '1'],
  ['date', 'Wed, 21 Oct 2026 07:28:00 GMT'],
  ['last-modified', 'Wed, 21 Oct 2026 07:28:00 GMT'],
  ['location', 'http://127.0.0.1:1/x'],
  ['content-disposition', `attachment; filename="a"; filename*=UTF-8''b`],
  ['x-amz-request-id', 'ABC'],
  ['x-amz-version-id', 'v'],
  ['x-amz-bucket-region', 'eu-west-1'],
  ['x-amz-checksum-crc32', 'AAAAAA=='],
  ['x-amz-checksum-type', 'FULL_OBJECT'],
  ['x-amz-meta-a', '=?UTF-8?B?w6Q=?='],
  ['x-amz-server-side-encryption', 'aws:kms'],
  ['x-trans-id', 'tx1'],
  ['x-subject-token', 'token'],
  ['x-auth-token', 'token'],
  ['x-auth-token-expires', '1000'],
  ['x-storage-url', 'ORIGIN/v1/AUTH_a'],
  ['x-static-large-object', 'True'],
  ['x-object-meta-a', '%C3%A4'],
  ['x-object-manifest', 'c/p'],
  ['x-container-meta-access-control-allow-origin', 'http://a *'],
  ['x-container-meta-access-control-max-age', '5'],
  ['x-container-meta-temp-url-key', 'k'],
  ['x-account-meta-temp-url-key', 'k'],
  ['x-container-object-count', '5'],
  ['x-container-bytes-used', '5'],
  ['x-container-meta-quota-bytes', '5'],
  ['x-container-read', '.r:*'],
  ['x-delete-at', '1'],
]
const STATUSES = [
  200, 200, 200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 403, 404, 409, 412, 413, 416, 422, 429, 498, 500, 501,
  503, 507, 599,
]

function anyReply(bodies: fc.Arbitrary<string>): fc.Arbitrary<HostileReply> {
  const header = fc.constantFrom(...HEADERS).chain(([name, sample]) => {
    const value = fc.oneof({arbitrary: fc.constant(sample), weight: 3}, mutated([sample]), anyText([], 30))
    return fc.tuple(fc.constant(name), value)
  })
  return fc.record({
    status: fc.constantFrom(...STATUSES),
    headers: fc.uniqueArray(header, {maxLength: 12, selector: ([name]) => name}),
    body: bodies,
  })
}

/** No date that is none, no number that is none: whoever writes them down would fail without a name. */
function expectSound(value: unknown, path = 'answer'): void {
  if (typeof value === 'number') expect(Number.isNaN(value), path).to.equal(false)
  if (value instanceof Date) expect(Number.isNaN(value.getTime()), path).to.equal(false)
  if (typeof value !== 'object' || value === null) return
  for (const [name, each] of Object.entries(value)) expectSound(each, `${path}.${name}`)
}

const BODY = bufferBody(Buffer.from('12345'))
const TARGET: Target = {remote: 'r', container: 'box', key: 'k'}
const SESSION: Session = {
  target: TARGET,
  uploadId: 'skylift-20260101T000000Z-0123456789abcdef',
  options: {},
  size: 5,
  partSize: 5,
  checksum: 'md5',
}
const RECEIPT = {number: 1, size: 5, etag: 'ab'.repeat(16), crc32: '00ff00ff'}
const PLAN = {size: 5, partSize: 5, count: 1}
const LIFE = {expiresIn: 3_600_000, allowShorter: true}
const WISH = {...LIFE, size: {max: 5}, plan: PLAN, contentType: 'a/b'}

type Verb = (store: Store, call: Call, ticket: Ticket) => Promise<unknown>

async function take(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const taken: unknown[] = []
  for await (const item of items) if (taken.push(item) >= 50) break
  return taken
}

/** Everything that a store can be asked. */
const VERBS: Readonly<Record<string, Verb>> = {
  limits: (store, call) => store.limits(call),
  head: (store, call) => store.head(TARGET, call),
  read: (store, call) => store.read(TARGET, {offset: 0, size: 5}, () => {}, call),
  list: (store, call) => take(store.list(TARGET, call)),
  listUploads: (store, call) => take(store.listUploads(TARGET, call)),
  listContainers: (store, call) => take(store.listContainers(call)),
  compare: (store, call) => store.compare(TARGET, BODY, {}, call),
  putWhole: (store, call) => store.putWhole(TARGET, BODY, {}, call),
  begin: (store, call) => store.begin(TARGET, {}, {size: 5, partSize: 5, count: 1}, call),
  putPart: (store, call) => store.putPart(SESSION, {number: 1, offset: 0, size: 5}, BODY, call),
  listParts: (store, call) => store.listParts(SESSION, call),
  complete: (store, call) => store.complete(SESSION, [RECEIPT], call),
  abort: (store, call) => store.abort(SESSION, call),
  deleteObject: (store, call) => store.deleteObject(TARGET, call),
  createContainer: (store, call) => store.createContainer(TARGET, {publicRead: true}, call),
  showContainer: (store, call) => store.showContainer(TARGET, call),
  deleteContainer: (store, call) => store.deleteContainer(TARGET, call),
  getCors: (store, call) => store.getCors(TARGET, call),
  setCors: (store, call) =>
    store.setCors(TARGET, [{origins: ['http://a'], methods: ['PUT'], headers: [], expose: []}], call),
  link: (store, call) => store.link(TARGET, {...LIFE, filename: 'x'}, call),
  tempUrl: (store, call) => store.tempUrl(TARGET, {...LIFE, method: 'PUT'}, call),
  async mint(store, call) {
    return hasTickets(store) ? store.mintTicket(TARGET, WISH, call) : undefined
  },
  async renew(store, call, ticket) {
    return hasTickets(store) ? store.renewTicket(ticket, LIFE, call) : undefined
  },
  async finish(store, call, ticket) {
    return hasTickets(store) ? store.finishTicket(ticket, call) : undefined
  },
  async revoke(store, call, ticket) {
    return hasTickets(store) ? store.revokeTicket(ticket, call) : undefined
  },
  async keys(store, call) {
    return hasTempUrlKeys(store) ? store.getTempUrlKeys(TARGET, call) : undefined
  },
  async probe(store, call) {
    const probe = await openProbe(store)
    if (probe === undefined) return undefined
    const identity = await probe.identify(call)
    await probe.lookAtContainer(TARGET, call)
    return [identity, await probe.findRegion(TARGET, call), await probe.tryRight('resume', TARGET, call)]
  },
}

describe('fuzz: answers of a hostile store', function () {
  this.timeout(0)
  let hostile: HostileStore
  let agents: Agents

  before(async () => {
    hostile = await startHostileStore()
    agents = createAgents()
  })
  after(async () => {
    agents.close()
    await hostile.close()
  })

  /** In time: a call that is still under way after 25 seconds is aborted, which has no name. */
  const callOf = (): Call => ({signal: AbortSignal.timeout(25_000)})
  const withOrigin = (text: string): string => text.replaceAll('ORIGIN', hostile.origin)

  function settle({status, headers, body}: HostileReply): void {
    hostile.reply({
      status,
      headers: headers.map(([name, value]) => [name, withOrigin(value)] as const),
      body: withOrigin(body),
    })
  }

  async function tryVerb(remote: Remote, verb: Verb, reply: HostileReply, ticket: Ticket): Promise<void> {
    settle(reply)
    const store = await openStore(remote, {
      surroundings: {env: {}, home: '/nonexistent'},
      wire: {agents},
      findings: memoryFindings(),
      concurrency: 8,
      retry: {retryFor: 0, random: () => 0},
    })
    expectSound(await verb(store, callOf(), ticket))
  }

  const verbs = fc.constantFrom(...Object.keys(VERBS))

  it('of S3: every verb ends, soundly or with a name', async () => {
    const bodies = fc.oneof(
      {arbitrary: fc.constantFrom(...S3_BODIES), weight: 3},
      {arbitrary: mutated(S3_BODIES, XML_WORDS), weight: 4},
      anyText(XML_WORDS),
    )
    const s3 = (): Remote => ({
      provider: 's3',
      name: 's3',
      endpointUrl: hostile.origin,
      region: 'us-east-1',
      keys: {accessKeyId: 'AK', secretAccessKey: 'secret'},
    })
    await fuzzAsync(fc.tuple(verbs, anyReply(bodies)), async ([name, reply]) => {
      await tryVerb(s3(), VERBS[name] as Verb, reply, SAMPLES[0])
    })
  })

  const swiftBodies = fc.oneof(
    {arbitrary: anyDocument(SWIFT_BODIES), weight: 6},
    fc.constantFrom('', '<html><h1>Not Found</h1><p>The resource.</p></html>', 'x\n\u001B[2J'),
  )

  it('of Swift: every verb ends, soundly or with a name', async () => {
    const swift = (): Remote => ({
      provider: 'swift',
      name: 'swift',
      auth: {method: 'storage-url', storageUrl: `${hostile.origin}/v1/AUTH_a`, token: 't'},
      tempUrlKey: 'key',
    })
    await fuzzAsync(fc.tuple(verbs, anyReply(swiftBodies)), async ([name, reply]) => {
      await tryVerb(swift(), VERBS[name] as Verb, reply, OWNER_TICKET)
    })
  })

  it('of a sign-in', async () => {
    const at = (path: string): string => hostile.origin + path
    const auths = [
      {method: 'v1', authUrl: at('/auth/v1.0'), user: 'u', key: 'k'},
      {method: 'v2-password', authUrl: at('/v2.0'), username: 'u', password: 'p'},
      {method: 'v3-password', authUrl: at('/v3'), username: 'u', password: 'p', projectName: 'p'},
    ] as const
    await fuzzAsync(fc.tuple(fc.constantFrom(...auths), anyReply(swiftBodies)), async ([auth, reply]) => {
      await tryVerb(
        {provider: 'swift', name: 'swift', auth},
        (store, call) => store.publicUrl(TARGET, call),
        reply,
        OWNER_TICKET,
      )
    })
  })

  it('of what a ticket is for', async () => {
    const bodies = fc.oneof(mutated(S3_BODIES, XML_WORDS), fc.constantFrom(...S3_BODIES), swiftBodies)
    const names = ['limits', 'begin', 'putPart', 'listParts', 'complete', 'abort', 'putWhole']
    const tickets = SAMPLES.map(
      sample =>
        JSON.parse(JSON.stringify(sample).replaceAll(/https:\/\/(?:s3|swift)\.example\.com/gu, 'ORIGIN')) as Ticket,
    )
    const inputs = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...tickets), anyReply(bodies))
    await fuzzAsync(inputs, async ([name, sample, reply]) => {
      settle(reply)
      const ticket = {
        ...(JSON.parse(withOrigin(JSON.stringify(sample))) as Ticket),
        expires: '2999-01-01T00:00:00.000Z',
      }
      const store = await openTicket(ticket, {wire: {agents}, concurrency: 8, retry: {retryFor: 0}})
      expectSound(await (VERBS[name] as Verb)(store as Store, callOf(), ticket))
    })
  })

  it('of a temp URL that is checked', async () => {
    const bodies = fc.oneof(mutated(S3_BODIES, XML_WORDS), swiftBodies)
    const methods = fc.constantFrom('GET', 'HEAD', 'PUT')
    const queries = fc.constantFrom('X-Amz-Signature=ab', 'temp_url_sig=ab&temp_url_expires=1')
    await fuzzAsync(fc.tuple(methods, queries, anyReply(bodies)), async ([method, query, reply]) => {
      settle(reply)
      const temp = {url: `${hostile.origin}/v1/a/b/c?${query}`, method, headers: {}} as const
      expectSound(await checkUrl({agents}, temp, callOf()))
    })
  })
})
