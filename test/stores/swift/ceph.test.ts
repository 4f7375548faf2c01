import {expect} from 'chai'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import {manifestEtag} from '../../../src/stores/swift/manifest.ts'
import {readQuirks} from '../../../src/stores/swift/quirks.ts'
import {collect, failureOf, newCall} from '../contract/bench.ts'
import {at} from './upload-parts.ts'
import {answerSwift, asked, ETAG, INFO, md5Of, openBare, PLACE, receipts, session, stopAnswering} from './wire.ts'
import type {Reply, Seen} from './wire.ts'

// All answers are those of a gateway of Ceph 16.2.15.
const CEPH = {
  bulk_delete: {},
  swift: {
    max_file_size: 5368709120,
    container_listing_limit: 10000,
    version: '16.2.15',
    policies: [{default: true, name: 'default-placement'}],
    max_object_name_size: 1024,
    strict_cors_mode: true,
    max_container_name_length: 255,
  },
  tempurl: {methods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']},
  slo: {max_manifest_segments: 1000},
  tempauth: {account_acls: true},
}
const INFO_OF_CEPH: Reply = [200, JSON.stringify(CEPH)]
const PREFIX = PLACE.prefix
const HEAD = {'x-static-large-object': 'True', 'x-object-meta-static-large-object': 'True', 'content-length': '5'}
const HIDDEN: Reply = [200, '', {'x-object-meta-static-large-object': 'True', etag: md5Of('')}]
const segment = (number: number, text: string) => ({
  name: `${PREFIX}${String(number).padStart(8, '0')}`,
  bytes: text.length,
  hash: md5Of(text),
})
const marker = {name: `${PREFIX}00000000`, bytes: 0, hash: md5Of('')}
const bodyOf = (text: string) => bufferBody(Buffer.from(text))

/** A gateway where a large object with this ETag stands at the key. */
function answerCeph({etag, segments = []}: {etag?: string; segments?: readonly object[]}): Seen[] {
  let page = segments
  return answerSwift(({method, path, headers}) => {
    if (path === '/info') return INFO_OF_CEPH
    if (path.includes('/box_segments?')) {
      const reply: Reply = [200, JSON.stringify(page)]
      page = []
      return reply
    }
    if (path.endsWith('?multipart-manifest=get&format=json')) return HIDDEN
    if (path.includes('multipart-manifest=put')) {
      // What it compares is its own in quotes.
      return headers['etag'] === undefined
        ? [201, '', {etag: `"${ETAG}"`}]
        : [422, 'UnprocessableEntity', {etag: `"${ETAG}"`}]
    }
    if (method === 'PUT') return [201, '', {etag: md5Of('hello')}]
    if (method === 'HEAD' && path.endsWith('/box/k'))
      return etag === undefined ? [404, ''] : [200, '', {...HEAD, etag: `"${etag}"`}]
    return [204, '']
  })
}

afterEach(stopAnswering)

describe("the Swift API of Ceph's gateway", () => {
  it('is told from Swift by what it says of itself, whose versions it does not count by', () => {
    const quirks = readQuirks(CEPH)
    const strange = {listsLargeObjects: false, conditionalPut: false, showsManifests: false, version: '16.2.15'}
    expect(quirks).to.deep.include(strange)
    expect(quirks.limits).to.deep.include({whole: 5 * 1024 ** 3, key: 1024})
    expect(readQuirks(INFO)).to.deep.include({listsLargeObjects: true, conditionalPut: true, showsManifests: true})
  })

  it('gets its manifest without an ETag when it refuses the right one', async () => {
    const seen = answerCeph({})
    expect(await (await openBare()).store.complete(session, receipts, newCall())).to.include({etag: ETAG})
    const puts = seen.filter(({method}) => method === 'PUT')
    expect(puts.map(({headers}) => headers['etag'])).to.deep.equal([ETAG, undefined])
    expect(puts[1]?.body).to.equal(puts[0]?.body)
  })

  it('that has made something else of the manifest fails all the same', async () => {
    for (const wrong of [[422, 'UnprocessableEntity', {etag: md5Of('other')}], [422, ''] satisfies Reply] as Reply[]) {
      const seen = answerSwift(({method, path}) => {
        if (path === '/info') return INFO_OF_CEPH
        return method === 'PUT' ? wrong : method === 'HEAD' ? [404, ''] : [204, '']
      })
      await failureOf((await openBare()).store.complete(session, receipts, newCall()), 'integrity')
      expect(seen.filter(({method}) => method === 'PUT')).to.have.length(1)
      stopAnswering()
    }
  })

  it('that misses a segment is no container that is missing', async () => {
    for (const [text, code] of [
      ['{"Code":"NoSuchKey","Message":"","BucketName":"box"}', 'integrity'],
      ['{"Code":"NoSuchBucket","Message":"","BucketName":"box"}', 'not-found'],
    ] as const) {
      answerSwift(({method}) => (method === 'PUT' ? [404, text] : [404, '']))
      await failureOf((await openBare()).store.complete(session, receipts, newCall()), code)
      stopAnswering()
    }
  })

  it('heeds no condition, so where nothing may be replaced it is looked at first, which is said', async () => {
    const free = answerCeph({})
    const {store} = await openBare()
    const stored = await store.putWhole(at('box', 'k'), bodyOf('hello'), {noClobber: true}, newCall())
    expect(stored.notes?.join(' ')).to.include('not known to check it while writing')
    expect(asked(free)).to.deep.equal(['GET /info', 'HEAD /box/k', 'PUT /box/k'])
    const large = await store.complete({...session, options: {noClobber: true}}, receipts, newCall())
    expect(large.notes?.join(' ')).to.include('not known to check it while writing')
    stopAnswering()
    const taken = answerCeph({etag: md5Of('theirs')})
    const other = await openBare()
    await failureOf(other.store.putWhole(at('box', 'k'), bodyOf('hello'), {noClobber: true}, newCall()), 'exists')
    await failureOf(other.store.complete({...session, options: {noClobber: true}}, receipts, newCall()), 'exists')
    expect(asked(taken).filter(each => each.startsWith('PUT'))).to.deep.equal([])
  })

  it('is not written to, where nothing may be replaced, by those who may not look', async () => {
    const seen = answerSwift(({method, path}) => {
      if (path === '/info') return INFO_OF_CEPH
      return method === 'HEAD' && path.endsWith('/box/k') ? [403, ''] : [204, '']
    })
    const {store} = await openBare()
    await failureOf(store.putWhole(at('box', 'k'), bodyOf('hello'), {noClobber: true}, newCall()), 'forbidden')
    await failureOf(store.complete({...session, options: {noClobber: true}}, receipts, newCall()), 'forbidden')
    expect(asked(seen).filter(each => each.startsWith('PUT'))).to.deep.equal([])
  })

  it('with an object of the same bytes at the key has not taken a manifest whose answer was lost', async () => {
    for (const [noClobber, code] of [
      [false, 'network'],
      [true, 'exists'],
    ] as const) {
      const seen = answerSwift(({method, path}) => {
        if (path === '/info') return INFO_OF_CEPH
        if (path.endsWith('?multipart-manifest=get&format=json')) return HIDDEN
        if (method === 'PUT') return 'reset'
        return method === 'HEAD' && path.endsWith('/box/k') ? [200, '', {...HEAD, etag: ETAG}] : [204, '']
      })
      const {store} = await openBare()
      await failureOf(store.complete({...session, options: {noClobber}}, receipts, newCall()), code)
      expect(asked(seen).filter(each => each.startsWith('DELETE'))).to.deep.equal([])
      stopAnswering()
    }
  })

  it('that has taken the manifest and lost its answer is told by the ETag, where nothing may be replaced', async () => {
    // Theirs is made of the same first segment, and of no other.
    for (const etag of [ETAG, manifestEtag(receipts.slice(0, 1))]) {
      let isThere = false
      answerSwift(({method, path}) => {
        if (path === '/info') return INFO_OF_CEPH
        if (path.endsWith('?multipart-manifest=get&format=json')) return HIDDEN
        if (method === 'HEAD' && path.endsWith('/box/k')) return isThere ? [200, '', {...HEAD, etag}] : [404, '']
        if (method !== 'PUT') return [204, '']
        isThere = true
        return 'reset'
      })
      const {store} = await openBare()
      const once = {...session, options: {noClobber: true}}
      await failureOf(store.complete(once, receipts, newCall()), 'network')
      const again = store.complete(once, receipts, newCall())
      if (etag === ETAG) expect(await again).to.include({etag})
      else await failureOf(again, 'exists')
      stopAnswering()
    }
  })

  it('has nothing to compare a large object by, and is not asked for more', async () => {
    answerCeph({etag: ETAG})
    const {by} = await (await openBare()).store.compare(at('box', 'k'), bodyOf('hello'), {}, newCall())
    expect(by).to.equal(undefined)
  })

  it('does not show what the object is made of that is replaced: its segments stay, which is said', async () => {
    const seen = answerCeph({etag: md5Of('old')})
    const stored = await (await openBare()).store.complete(session, receipts, newCall())
    expect(stored.notes).to.deep.equal([
      'The segments of the object that was replaced stay: the store does not show which they are.',
    ])
    expect(asked(seen).filter(each => each.startsWith('DELETE'))).to.deep.equal([
      `DELETE /box_segments/${PREFIX}00000000`,
    ])
  })

  it('keeps the segments of an object whose manifest stood before its upload was dropped', async () => {
    const segments = [marker, segment(1, 'hel'), segment(2, 'lo')]
    const seen = answerCeph({etag: ETAG, segments})
    await (await openBare()).store.abort(session, newCall())
    const deleted = asked(seen).filter(each => each.startsWith('DELETE'))
    expect(deleted.join(' ')).not.to.match(/0000000[12]/u)
    expect(deleted).to.include(`DELETE /box_segments/${marker.name}`)
    stopAnswering()
    // What was sent beyond it, or a mark that is gone, as after a ticket was finished.
    for (const more of [[marker, segment(1, 'hel'), segment(2, 'lo'), segment(3, 'over')], segments.slice(1)]) {
      const kept = answerCeph({etag: more.length === 4 ? ETAG : md5Of('theirs'), segments: more})
      await (await openBare()).store.abort(session, newCall())
      expect(asked(kept).join(' ')).not.to.match(/DELETE \S+0000000[123]/u)
      stopAnswering()
    }
    const others = answerCeph({etag: md5Of('theirs'), segments})
    await (await openBare()).store.abort(session, newCall())
    expect(asked(others)).to.include.members([1, 2].map(number => `DELETE /box_segments/${PREFIX}0000000${number}`))
  })

  it('lists an upload as unfinished by its mark alone: what nobody can tell is not offered to be dropped', async () => {
    const started = {...marker, name: `${PREFIX.replace('0', '1')}00000001`}
    for (const [segments, count] of [
      [[marker, segment(1, 'hel')], 1],
      [[started], 0],
    ] as const) {
      const seen = answerSwift(({method, path}) => {
        if (path === '/info') return INFO_OF_CEPH
        if (path.includes('/box_segments?'))
          return [200, path.includes('marker=') && !path.includes('marker=&') ? '[]' : JSON.stringify(segments)]
        if (path.includes('/box?'))
          return [
            200,
            path.includes('marker=') && !path.includes('marker=&')
              ? '[]'
              : JSON.stringify([{name: 'k', bytes: 159, hash: md5Of('')}]),
          ]
        if (path.endsWith('?multipart-manifest=get&format=json')) return HIDDEN
        if (method === 'HEAD' && path.endsWith('/box/k')) return [200, '', {...HEAD, etag: md5Of('x')}]
        if (method === 'GET' && path.includes('/box_segments/') && count === 1)
          return [200, JSON.stringify({container: 'box', key: 'k'})]
        return [404, '']
      })
      const found = await collect((await openBare()).store.listUploads(at('box', ''), newCall()))
      expect(found, asked(seen).join('\n')).to.have.length(count)
      stopAnswering()
    }
  })
})
