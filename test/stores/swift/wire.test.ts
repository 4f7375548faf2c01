import {expect} from 'chai'
import type {FailureCode} from '../../../src/core/failure.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import {crcOf, failureOf, newCall, partOf} from '../contract/bench.ts'
import {at} from './upload-parts.ts'
import {answerSwift, asked, ETAG, INFO, md5Of, openBare, PLACE, receipts, session, stopAnswering, TOLD} from './wire.ts'
import type {Reply} from './wire.ts'

const TARGET = at('box', 'dir/a b+ü')
const KEY = '/box/dir/a%20b%2B%C3%BC'
const TEXT = 'hello'
const BODY = bufferBody(Buffer.from(TEXT))
const STORED: Reply = [201, '', {etag: md5Of(TEXT)}]
const STANDS: Reply = [200, '', {etag: md5Of(TEXT), 'content-length': '5', 'content-type': 'application/octet-stream'}]
const SLO = {'x-static-large-object': 'True', etag: '"e"'}
const LIST = '/box_segments/k/skylift-20260101T000000Z-0123456789abcdef.replaces'
const NOBODY: Reply = [404, '']

const verdict = (line: string, more = {}): string =>
  `   \r\n\r\n${JSON.stringify({'Response Status': line, 'Response Body': '', Etag: '', Errors: [], ...more})}`

afterEach(stopAnswering)

describe('the wire form of Swift', () => {
  it('puts an object with its MD5, where no large one can stand, after one look', async () => {
    const seen = answerSwift([NOBODY, NOBODY, [204, ''], STORED, STORED])
    const {store} = await openBare()
    const stored = await store.putWhole(TARGET, BODY, {metadata: {Name: 'ü', plain: '100%'}}, newCall())
    expect(stored).to.deep.include({etag: md5Of(TEXT), md5: md5Of(TEXT), verified: {by: 'md5'}})
    await store.putWhole(TARGET, BODY, {}, newCall())
    const looks = ['HEAD /box_segments', 'HEAD /box%2Bsegments', 'HEAD /box']
    expect(asked(seen)).to.deep.equal([...looks, `PUT ${KEY}`, `PUT ${KEY}`])
    const {host: _, connection: __, ...headers} = seen[3]?.headers ?? {}
    expect(headers).to.deep.equal({
      'x-auth-token': 'token-1',
      'content-type': 'application/octet-stream',
      'content-length': '5',
      etag: md5Of(TEXT),
      'x-object-meta-name': '%C3%BC',
      'x-object-meta-plain': '100%',
    })
    expect(seen[3]?.body).to.equal(TEXT)
  })

  it('asks once whether the cluster checks it, and then nothing but the PUT, where nothing may be replaced', async () => {
    const seen = answerSwift([TOLD, STORED, STORED])
    const {store} = await openBare()
    for (const _ of [1, 2]) {
      expect(await store.putWhole(TARGET, BODY, {noClobber: true}, newCall())).not.to.have.property('notes')
    }
    expect(asked(seen)).to.deep.equal(['GET /info', `PUT ${KEY}`, `PUT ${KEY}`])
    expect(seen[1]?.headers['if-none-match']).to.equal('*')
  })

  it('looks first where the cluster does not say what it is, as far as it may, and says so', async () => {
    for (const [head, words] of [
      [NOBODY, 'not known to check it while writing'],
      [[403, ''], 'these credentials may not read'],
    ] satisfies [Reply, string][]) {
      const seen = answerSwift([NOBODY, head, STORED])
      const stored = await (await openBare()).store.putWhole(TARGET, BODY, {noClobber: true}, newCall())
      expect(stored.notes?.join(' ')).to.include(words)
      expect(asked(seen)).to.deep.equal(['GET /info', `HEAD ${KEY}`, `PUT ${KEY}`])
      expect(seen[2]?.headers['if-none-match']).to.equal('*')
      stopAnswering()
    }
    const seen = answerSwift([NOBODY, STANDS])
    await failureOf((await openBare()).store.putWhole(TARGET, BODY, {noClobber: true}, newCall()), 'exists')
    expect(asked(seen)).to.deep.equal(['GET /info', `HEAD ${KEY}`])
  })

  it('looks before the first segment where nothing may be replaced, as far as it may', async () => {
    const plan = {size: 5, partSize: 3, count: 2}
    const begin = async () => (await openBare()).store.begin(TARGET, {noClobber: true}, plan, newCall())
    const seen = answerSwift([STANDS])
    await failureOf(begin(), 'exists')
    expect(asked(seen)).to.deep.equal([`HEAD ${KEY}`])
    stopAnswering()
    answerSwift([[503, '']])
    await failureOf(begin(), 'busy')
    for (const head of [NOBODY, [403, '']] satisfies Reply[]) {
      stopAnswering()
      const all = answerSwift(({method, path}) =>
        method === 'PUT' ? [201, ''] : path.endsWith(KEY) ? head : [204, ''],
      )
      expect(await begin()).to.include({size: 5})
      expect(asked(all)[0]).to.equal(`HEAD ${KEY}`)
    }
  })

  it('refuses what only S3 has, before anything is sent', async () => {
    const seen = answerSwift([])
    const {store} = await openBare()
    for (const options of [{tags: {a: 'b'}}, {storageClass: 'COLD'}, {acl: 'private'}, {sse: 'AES256'}]) {
      await failureOf(store.putWhole(TARGET, BODY, options, newCall()), 'unsupported')
      await failureOf(store.begin(TARGET, options, {size: 5, partSize: 3, count: 2}, newCall()), 'unsupported')
    }
    expect(seen).to.deep.equal([])
  })

  it('takes a 503 of what was stored all the same for success, and one of other bytes for none', async () => {
    for (const [standing, isOurs] of [
      [STANDS, true],
      [[200, '', {...STANDS[2], etag: md5Of('other')}], false],
      [[200, '', {...STANDS[2], 'content-type': 'text/plain'}], false],
      [NOBODY, false],
    ] as [Reply, boolean][]) {
      const seen = answerSwift([
        NOBODY,
        NOBODY,
        [204, ''],
        [503, '<html><h1>Service Unavailable</h1></html>'],
        standing,
      ])
      const putting = (await openBare()).store.putWhole(TARGET, BODY, {}, newCall())
      if (isOurs) expect(await putting).to.include({size: 5})
      else expect((await failureOf(putting, 'busy')).retryable).to.equal(true)
      expect(asked(seen).slice(3)).to.deep.equal([`PUT ${KEY}`, `HEAD ${KEY}`])
      stopAnswering()
    }
  })

  it('asks after a lost answer whether what stands there is ours', async () => {
    answerSwift([TOLD, 'reset', [412, ''], STANDS, [412, ''], NOBODY])
    const {store} = await openBare()
    await failureOf(store.putWhole(TARGET, BODY, {noClobber: true}, newCall()), 'network')
    expect(await store.putWhole(TARGET, BODY, {noClobber: true}, newCall())).to.include({size: 5})
    await failureOf(store.putWhole(TARGET, bufferBody(Buffer.from(TEXT)), {noClobber: true}, newCall()), 'exists')
  })

  it('fails integrity, to be tried again, on an ETag of other bytes and on none', async () => {
    for (const headers of [{etag: md5Of('x')}, {}]) {
      answerSwift([TOLD, [201, '', headers]])
      const failure = await failureOf(
        (await openBare()).store.putWhole(TARGET, BODY, {noClobber: true}, newCall()),
        'integrity',
      )
      expect(failure.retryable).to.equal(true)
      stopAnswering()
    }
  })

  it('sends a segment with its sums taken on the way, and makes its container where it is missing', async () => {
    const seen = answerSwift([
      NOBODY,
      [204, '', {'x-storage-policy': 'gold'}],
      [201, ''],
      [201, '', {etag: md5Of('hel')}],
    ])
    const {store} = await openBare()
    const body = bufferBody(Buffer.from('hel'))
    const receipt = await store.putPart(session, partOf(session, 1, body), body, newCall())
    expect(receipt).to.deep.equal({number: 1, size: 3, etag: md5Of('hel'), crc32: crcOf(Buffer.from('hel'))})
    const name = `/box_segments/${PLACE.prefix}00000001`
    expect(asked(seen)).to.deep.equal([`PUT ${name}`, 'HEAD /box', 'PUT /box_segments', `PUT ${name}`])
    expect(seen[2]?.headers['x-storage-policy']).to.equal('gold')
    expect(seen[3]?.headers).not.to.have.property('x-delete-after')
  })

  it('takes a 503 of a segment that was stored for success', async () => {
    const body = bufferBody(Buffer.from('hel'))
    answerSwift([
      [503, ''],
      [200, '', {etag: md5Of('hel'), 'content-length': '3'}],
    ])
    const first = await openBare()
    expect((await first.store.putPart(session, partOf(session, 1, body), body, newCall())).etag).to.equal(md5Of('hel'))
    stopAnswering()
    answerSwift([[503, ''], NOBODY])
    const second = await openBare()
    const failure = await failureOf(second.store.putPart(session, partOf(session, 1, body), body, newCall()), 'busy')
    expect(failure).to.deep.include({retryable: true})
    expect(failure.context).to.include({container: 'box', key: 'k', part: 1})
  })

  it('writes the manifest raw, and reads the verdict behind the heartbeat', async () => {
    const odd = {...session, target: at('box', 'ü %'), state: {container: 'segments ü', prefix: 'ü %/x/'}}
    const seen = answerSwift([NOBODY, [202, verdict('201 Created', {Etag: `"${ETAG}"`})], [204, '']])
    const stored = await (await openBare()).store.complete(odd, receipts, newCall())
    expect(stored).to.include({etag: ETAG, size: 5})
    expect(asked(seen)).to.deep.equal([
      'HEAD /box/%C3%BC%20%25',
      'PUT /box/%C3%BC%20%25?multipart-manifest=put&heartbeat=on',
      'DELETE /segments%20%C3%BC/%C3%BC%20%25/x/00000000',
    ])
    expect(seen[1]?.headers).to.include({
      etag: ETAG,
      accept: 'application/json',
      'content-type': 'application/octet-stream',
    })
    expect(JSON.parse(seen[1]?.body ?? '')).to.deep.equal([
      {path: '/segments ü/ü %/x/00000001', etag: md5Of('hel'), size_bytes: 3},
      {path: '/segments ü/ü %/x/00000002', etag: md5Of('lo'), size_bytes: 2},
    ])
  })

  it('takes the 201 of a cluster that knows no heartbeat', async () => {
    answerSwift([NOBODY, [201, '', {etag: `"${ETAG}"`}], [204, '']])
    expect(await (await openBare()).store.complete(session, receipts, newCall())).to.include({etag: ETAG})
  })

  const path = `/box_segments/${PLACE.prefix}00000001`
  const verdicts: [string, Reply, FailureCode, boolean][] = [
    [
      'one segment that is missing',
      [202, verdict('400 Bad Request', {Errors: [[path, '404 Not Found']]})],
      'integrity',
      false,
    ],
    [
      'all segments missing',
      [
        202,
        verdict('400 Bad Request', {
          Errors: [
            [path, '404 Not Found'],
            [path, '404 Not Found'],
          ],
        }),
      ],
      'not-found',
      false,
    ],
    ['other bytes', [202, verdict('400 Bad Request', {Errors: [[path, 'Etag Mismatch']]})], 'integrity', false],
    ['another size', [400, JSON.stringify({Errors: [[path, 'Size Mismatch']]})], 'integrity', false],
    ['another whole', [202, verdict('422 Unprocessable Entity')], 'integrity', true],
    ['an ETag that is not ours', [202, verdict('201 Created', {Etag: md5Of('x')})], 'integrity', true],
    [
      'a quota',
      [202, verdict('413 Request Entity Too Large', {'Response Body': 'Upload exceeds quota.'})],
      'too-large',
      false,
    ],
    ['words that nobody knows', [400, 'Invalid SLO Manifest File'], 'usage', false],
    ['an expiry in the past', [400, 'X-Delete-At in past'], 'usage', false],
  ]
  for (const [title, reply, code, retryable] of verdicts) {
    it(`fails ${code} on a manifest with ${title}`, async () => {
      answerSwift([NOBODY, reply])
      const failure = await failureOf((await openBare()).store.complete(session, receipts, newCall()), code)
      expect(failure.retryable).to.equal(retryable)
      expect(failure.context).to.include({container: 'box', key: 'k'})
    })
  }

  const unclear: [string, Reply, FailureCode][] = [
    ['a cut answer', 'reset', 'network'],
    ['half a verdict', [202, '   \r\n\r\n{"Response St'], 'network'],
    ['a 503', [202, verdict('503 Service Unavailable')], 'busy'],
    ['a 412', [202, verdict('412 Precondition Failed')], 'exists'],
    ['a conflict', [409, ''], 'busy'],
  ]
  for (const [title, reply, code] of unclear) {
    it(`asks after ${title} whether the object is made of these segments`, async () => {
      const manifest = JSON.stringify([{name: path, bytes: 3, hash: md5Of('hel')}])
      answerSwift([NOBODY, reply, [200, '', SLO], [200, manifest, SLO], [204, '']])
      expect(await (await openBare()).store.complete(session, receipts, newCall())).to.include({etag: ETAG})
      stopAnswering()
      const foreign = JSON.stringify([{name: '/box_segments/k/other/00000001', bytes: 3, hash: md5Of('hel')}])
      answerSwift([NOBODY, reply, [200, '', SLO], [200, foreign, SLO]])
      await failureOf((await openBare()).store.complete(session, receipts, newCall()), code)
    })
  }

  it('does not ask for the segments of what is replaced where it may not look', async () => {
    const seen = answerSwift([
      [403, ''],
      [201, '', {etag: ETAG}],
      [204, ''],
    ])
    await (await openBare()).store.complete(session, receipts, newCall())
    expect(asked(seen)[0]).to.equal('HEAD /box/k')
  })

  it('tells segments of the replaced object that stay, and fails nothing for them', async () => {
    const old = JSON.stringify([{name: '/box_segments/old/1'}, {name: '/box_segments/sub', sub_slo: true}])
    const seen = answerSwift([
      [200, '', SLO],
      [200, old, SLO],
      [204, ''],
      [201, ''],
      [201, '', {etag: ETAG}],
      [403, ''],
      [204, ''],
      [204, ''],
    ])
    const stored = await (await openBare()).store.complete(session, receipts, newCall())
    expect(stored.notes?.join(' ')).to.contain('could not be deleted')
    expect(asked(seen)[2]).to.equal('HEAD /box')
    expect(asked(seen)[5]).to.equal('DELETE /box_segments/old/1')
    expect(asked(seen).join(' ')).not.to.contain('box_segments/sub')
  })

  it('still knows what was replaced when the first answer was lost', async () => {
    const old = JSON.stringify([{name: '/box_segments/old/1'}])
    const ours = JSON.stringify([{name: path}])
    const seen = answerSwift([
      ...([[200, '', SLO], [200, old, SLO], [204, ''], [201, ''], 'reset', NOBODY] as Reply[]),
      ...([
        [200, '', SLO],
        [200, ours, SLO],
        [201, ''],
        [201, '', {etag: ETAG}],
        [204, ''],
        [204, ''],
        [204, ''],
      ] as Reply[]),
    ])
    const {store} = await openBare()
    await failureOf(store.complete(session, receipts, newCall()), 'network')
    await store.complete(session, receipts, newCall())
    expect(asked(seen).filter(each => each.startsWith('DELETE'))).to.deep.equal([
      'DELETE /box_segments/old/1',
      `DELETE /box_segments/${PLACE.prefix}00000000`,
      `DELETE ${LIST}`,
    ])
  })

  it('knows what another process was about to clear away when it died', async () => {
    const seen = answerSwift([
      [200, '', SLO],
      [200, JSON.stringify([{name: path}]), SLO],
      [204, ''],
      [200, JSON.stringify(['/box_segments/old/1', path])],
      [201, '', {etag: ETAG}],
      [204, ''],
      [204, ''],
      [204, ''],
    ])
    await (await openBare()).store.complete(session, receipts, newCall())
    expect(asked(seen)[3]).to.equal(`GET ${LIST}`)
    expect(asked(seen).slice(5)).to.deep.equal([
      'DELETE /box_segments/old/1',
      `DELETE /box_segments/${PLACE.prefix}00000000`,
      `DELETE ${LIST}`,
    ])
  })

  it('gives segments a longer life where the upload took so long that they would go first', async () => {
    const slow = {...session, options: {deleteAfterInSeconds: 60}}
    const seen = answerSwift(({method}) => {
      if (method === 'HEAD') return NOBODY
      return method === 'PUT' ? [201, '', {etag: ETAG}] : [202, '']
    })
    await (await openBare()).store.complete(slow, receipts, newCall())
    const posts = seen.filter(({method}) => method === 'POST')
    expect(posts.map(({headers}) => headers['x-delete-after'])).to.deep.equal([
      String(60 + 86_400),
      String(60 + 86_400),
    ])
    expect(seen.find(({method}) => method === 'PUT')?.headers['x-delete-after']).to.equal('60')
  })
})

describe('what a cluster says of itself', () => {
  it('decides the limits, and is asked once', async () => {
    const seen = answerSwift([[200, JSON.stringify(INFO)]])
    const {store} = await openBare()
    const limits = await store.limits(newCall())
    expect(limits).to.deep.equal({
      whole: 1000,
      object: 7000,
      part: {min: 3, max: 1000, count: 7, equal: false},
      key: 1024,
      keyUnit: 'characters',
    })
    await store.limits(newCall())
    expect(seen.map(({path: each}) => each)).to.deep.equal(['/info'])
    expect(seen[0]?.headers).not.to.have.property('x-auth-token')
  })

  for (const reply of [
    [403, ''],
    [404, ''],
    [200, '<html>'],
    [401, ''],
  ] as Reply[]) {
    it(`is what is usual where it answers ${String(reply[0])} ${String(reply[1])}`, async () => {
      answerSwift([reply])
      const {whole, part} = await (await openBare()).store.limits(newCall())
      expect([whole, part?.count, part?.min]).to.deep.equal([5 * 1024 ** 3, 1000, 1024 ** 2])
    })
  }

  it('is asked again where nobody answered', async () => {
    answerSwift(['reset', [503, ''], [200, JSON.stringify(INFO)]])
    const {store} = await openBare()
    await failureOf(store.limits(newCall()), 'network')
    await failureOf(store.limits(newCall()), 'busy')
    expect((await store.limits(newCall())).whole).to.equal(1000)
  })

  it('has no parts where it has no large objects', async () => {
    answerSwift([[200, JSON.stringify({swift: INFO.swift})]])
    expect(await (await openBare()).store.limits(newCall())).to.deep.equal({
      whole: 1000,
      object: 1000,
      key: 1024,
      keyUnit: 'characters',
    })
  })

  it('takes SHA-1 where there was no choice yet, and refuses a digest that is not allowed', async () => {
    const options = {method: 'GET', expiresIn: 60_000} as const
    answerSwift(({path: each}) =>
      each === '/info' ? [200, '{"swift":{},"tempurl":{}}'] : [204, '', {'x-account-meta-temp-url-key': 'k'}],
    )
    expect((await (await openBare()).store.tempUrl(TARGET, options, newCall())).url).to.match(/sig=[\da-f]{40}&/u)
    stopAnswering()
    answerSwift(({path: each}) =>
      each === '/info' ? [200, JSON.stringify(INFO)] : [204, '', {'x-account-meta-temp-url-key': 'k'}],
    )
    const {store} = await openBare()
    expect((await store.tempUrl(TARGET, options, newCall())).url).to.contain('sig=sha512%3A')
    const failure = await failureOf(store.tempUrl(TARGET, {...options, digest: 'sha256'}, newCall()), 'usage')
    expect(failure.suggestion).to.contain('sha512, sha1')
  })
})

describe('the refusals of Swift', () => {
  // Reading an object: 409 says there that a segment is missing.
  const rows: [status: number, text: string, code: FailureCode, retryable: boolean, words: RegExp][] = [
    [400, 'Object name length of 1025 longer than 1024', 'usage', false, /too long/u],
    [400, 'Bad things', 'usage', false, /Bad things\.$/u],
    [403, '<html><h1>Forbidden</h1><p>Access was denied to this resource.</p></html>', 'forbidden', false, /box\/dir/u],
    [404, '', 'not-found', false, /There is no "box\/dir/u],
    [405, '', 'unsupported', false, /cannot/u],
    [408, '', 'network', true, /too long/u],
    [409, '', 'integrity', false, /broken/u],
    [411, 'Missing Content-Length header.', 'unsupported', false, /Missing/u],
    [412, '', 'exists', false, /already/u],
    [412, 'Invalid UTF8 or contains NULL', 'usage', false, /name/u],
    [413, 'Your request is too large.', 'too-large', false, /so large/u],
    [413, 'Upload exceeds quota.', 'too-large', false, /quota/u],
    [414, '', 'usage', false, /request line/u],
    [416, '', 'usage', false, /range/u],
    [422, '', 'integrity', true, /checksum/u],
    [429, '', 'busy', true, /slow down/u],
    [498, 'Slow down', 'busy', true, /slow down/u],
    [499, '', 'network', true, /cut/u],
    [500, '', 'busy', true, /internal/u],
    [501, '', 'unsupported', false, /cannot/u],
    [502, '', 'busy', true, /not available/u],
    [503, '', 'busy', true, /not available/u],
    [504, '', 'busy', true, /not available/u],
    [507, '', 'busy', false, /room/u],
    [599, '', 'busy', true, /internal/u],
    [418, 'teapot \u001B[2J', 'usage', false, /teapot \\x1b\[2J/u],
  ]
  for (const [status, text, code, retryable, words] of rows) {
    it(`are told as ${code}: ${status} ${JSON.stringify(text.slice(0, 30))}`, async () => {
      answerSwift(() => [status, text, {'x-trans-id': 'tx1', 'retry-after': '7'}])
      const {store} = await openBare()
      const failure = await failureOf(
        store.read(TARGET, undefined, () => {}, newCall()),
        code,
      )
      expect(failure.message).to.match(words)
      expect(failure.retryable).to.equal(retryable)
      if (status === 409) return
      expect(failure.retryAfter).to.equal(7000)
      expect(failure.context).to.include({status, requestId: 'tx1', container: 'box', key: TARGET.key, method: 'GET'})
    })
  }

  it('are told of a container where there is no key', async () => {
    answerSwift(() => NOBODY)
    const failure = await failureOf((await openBare()).store.showContainer(at('box'), newCall()), 'not-found')
    expect(failure.message).to.equal('There is no container "box".')
    expect(failure.suggestion).to.contain('container create')
  })

  it('show no token', async () => {
    for (const status of [400, 403, 500]) {
      answerSwift(({headers}) => [status, `you said ${headers['x-auth-token']?.slice(0, 3)}`])
      const failure = await failureOf((await openBare()).store.head(TARGET, newCall()), 'usage', 'forbidden', 'busy')
      expect(JSON.stringify([failure.message, failure.context, failure.suggestion]))
        .not.to.contain('token-1')
        .and.not.to.contain('very-secret')
      stopAnswering()
    }
  })

  it('of a deletion stand in its body', async () => {
    const gone = {
      'Response Status': '400 Bad Request',
      'Number Deleted': 0,
      Errors: [['/box_segments/1', '403 Forbidden']],
    }
    answerSwift([
      [200, '', SLO],
      [204, ''],
      [200, JSON.stringify(gone)],
    ])
    await failureOf((await openBare()).store.deleteObject(TARGET, newCall()), 'forbidden')
  })
})
