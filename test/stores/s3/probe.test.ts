import {expect} from 'chai'

import {memoryFindings} from '../../../src/stores/findings.ts'
import {createConnection} from '../../../src/stores/s3/client.ts'
import {createProbe} from '../../../src/stores/s3/probe.ts'
import {AWS} from '../../../src/stores/s3/quirks.ts'
import type {Probe} from '../../../src/stores/store.ts'
import {answer, CREDENTIALS, errorXml, newCall, stopAnswering, target} from './wire.ts'
import type {Reply, Seen} from './wire.ts'
import {createNockedAgents} from '../../support/nock.ts'

const ARN = 'arn:aws:iam::123456789012:user/jane'
const STS = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${ARN}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
const ORIGINS = [
  'https://s3.eu-central-1.amazonaws.com',
  'https://box.s3.eu-central-1.amazonaws.com',
  'https://sts.eu-central-1.amazonaws.com',
]

describe('the probe of S3, on AWS', () => {
  afterEach(stopAnswering)

  function openAws(reply: (seen: Seen) => Reply): {probe: Probe; seen: Seen[]} {
    const seen = answer(reply, ...ORIGINS)
    const connection = createConnection({
      region: 'eu-central-1',
      quirks: AWS,
      credentials: () => Promise.resolve(CREDENTIALS),
      findings: memoryFindings(),
      wire: {agents: createNockedAgents()},
    })
    return {seen, probe: createProbe(connection)}
  }

  it('asks who signs, with a signature for that service', async () => {
    const {probe, seen} = openAws(({host}) => (host.startsWith('sts.') ? [200, STS] : [403, errorXml('AccessDenied')]))
    expect(await probe.identify(newCall())).to.deep.equal({who: `${ARN}, by the access key AKID`})
    const [, asked] = seen
    expect(asked).to.include({method: 'GET', path: '/?Action=GetCallerIdentity&Version=2011-06-15'})
    expect(asked?.headers['authorization']).to.match(
      /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-central-1\/sts\/aws4_request, SignedHeaders=[\w;-]*host[\w;-]*, Signature=[\da-f]{64}$/u,
    )
    expect(asked?.headers['authorization']).not.to.include('UNSIGNED')
  })

  for (const [what, reply] of [
    ['does not answer', 'reset'],
    ['refuses', [403, errorXml('AccessDenied')]],
    ['sends a page', [200, '<html>']],
  ] as const) {
    it(`does without a name where STS ${what}`, async () => {
      const {probe} = openAws(({host}) => (host.startsWith('sts.') ? reply : [200, '<ListAllMyBucketsResult/>']))
      expect(await probe.identify(newCall())).to.deep.equal({who: 'the access key AKID'})
    })
  }

  for (const code of ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken']) {
    it(`fails for ${code}`, async () => {
      const {probe} = openAws(() => [403, errorXml(code)])
      const failure = await probe.identify(newCall()).catch((error: unknown) => error)
      expect(failure).to.include({code: 'auth'})
    })
  }

  it('tries each right by a request that stores nothing, under the prefix of the target', async () => {
    const {probe, seen} = openAws(({method, path}) =>
      method === 'PUT' && !path.includes('uploadId') ? [400, errorXml('BadDigest')] : [404, errorXml('NoSuchUpload')],
    )
    for (const right of ['write', 'parts', 'resume', 'abort'] as const) {
      expect(await probe.tryRight(right, target, newCall())).to.deep.equal({allowed: true})
    }
    const [write, part, resume, abort] = seen
    for (const each of seen) expect(each.path).to.match(/^\/dir\/\.skylift-doctor-[\da-f]{16}(?:\?|$)/u)
    expect(seen.map(({method}) => method)).to.deep.equal(['PUT', 'PUT', 'GET', 'DELETE'])
    expect(write?.headers['content-md5']).to.match(/^[\w+/]{22}==$/u)
    expect(part?.path).to.include('?partNumber=1&uploadId=skylift-doctor')
    expect(resume?.path).to.include('?uploadId=skylift-doctor')
    expect(abort?.path).to.include('?uploadId=skylift-doctor')
  })

  it('asks for one object of the prefix', async () => {
    const {probe, seen} = openAws(() => [200, '<ListBucketResult/>'])
    expect(await probe.tryRight('list', target, newCall())).to.deep.equal({allowed: true})
    expect(seen[0]?.path).to.equal('/?list-type=2&max-keys=1&prefix=dir%2F')
  })

  const JUDGED: readonly (readonly [reply: Reply, finding: object])[] = [
    [[403, errorXml('AccessDenied')], {allowed: false}],
    [[400, errorXml('InvalidDigest')], {allowed: true}],
    [
      [400, errorXml('InvalidArgument', 'This upload ID is not valid.')],
      {note: 'The store refused the request: This upload ID is not valid.'},
    ],
    [[501, errorXml('NotImplemented', 'No parts here.')], {note: 'The store cannot do this: No parts here.'}],
  ]
  for (const [reply, finding] of JUDGED) {
    it(`makes ${JSON.stringify(finding)} of ${JSON.stringify(reply)}`, async () => {
      const {probe} = openAws(() => reply)
      expect(await probe.tryRight('parts', target, newCall())).to.deep.equal(finding)
    })
  }

  for (const [reply, code] of [
    [[404, errorXml('NoSuchBucket')], 'not-found'],
    [[503, errorXml('SlowDown')], 'busy'],
    [[403, errorXml('SignatureDoesNotMatch')], 'auth'],
  ] as const) {
    it(`cannot tell a right from ${code}`, async () => {
      const {probe} = openAws(() => reply)
      expect(await probe.tryRight('write', target, newCall()).catch((error: unknown) => error)).to.include({code})
    })
  }
})
