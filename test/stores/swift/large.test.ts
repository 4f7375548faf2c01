import {expect} from 'chai'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {Target} from '../../../src/stores/store.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {collect, failureOf, newCall} from '../contract/bench.ts'
import {ask, escapePath, listNames, makeContainer, signIn} from './foreign-swift.ts'
import type {SwiftAccess} from './foreign-swift.ts'
import {openSwift} from './open-swift.ts'
import type {OpenedSwift} from './open-swift.ts'
import {at, sendParts, textPieces, uploadParts} from './upload-parts.ts'

const BOX = 'large'
const SEGMENTS = 'large_segments'

describe('large objects of Swift', function () {
  this.timeout(60_000)
  let opened: OpenedSwift
  let access: SwiftAccess
  let auth: {method: 'v1'; authUrl: string; user: string; key: string}

  before(async function () {
    needSwift(this)
    const {v1} = await startSwift()
    auth = {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key}
    access = await signIn(v1)
    await makeContainer(access, BOX)
    opened = await openSwift({auth}, {isBare: true})
  })
  after(() => opened?.close())

  const read = async (target: Target): Promise<string> => {
    const pieces: Buffer[] = []
    await opened.store.read(target, undefined, bytes => void pieces.push(Buffer.from(bytes)), newCall())
    return String(Buffer.concat(pieces))
  }
  const segmentsOf = async (key: string): Promise<string[]> =>
    (await listNames(access, SEGMENTS)).filter(name => name.startsWith(`${key}/`))
  const headOf = async (path: string) =>
    (await ask(`${access.storageUrl}/${escapePath(path)}`, {method: 'HEAD', headers: {'x-auth-token': access.token}}))
      .headers
  const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    ask(`${access.storageUrl}/${path}`, {
      method,
      headers: {'x-auth-token': access.token, ...headers},
      ...(body === undefined ? {} : {body}),
    })

  it('names segments by key, upload and number, and leaves nothing else', async () => {
    const stored = await uploadParts(opened.store, at(BOX, 'a/b'), textPieces('one', 'two'))
    const names = await segmentsOf('a/b')
    expect(names).to.have.length(2)
    for (const [index, name] of names.entries()) {
      expect(name).to.match(new RegExp(`^a/b/skylift-\\d{8}T\\d{6}Z-[0-9a-f]{16}/0000000${index + 1}$`, 'u'))
    }
    const headers = await headOf(`${BOX}/a/b`)
    expect(headers['x-static-large-object']).to.equal('True')
    expect(headers.etag).to.equal(`"${stored.etag}"`)
    expect(await read(at(BOX, 'a/b'))).to.equal('onetwo')
  })

  for (const key of [
    '.',
    '..',
    '../up',
    'a//b',
    '/x',
    'x/',
    '/',
    '100%25 ü+?#',
    'two\nlines',
    '漢'.repeat(600),
    'y'.repeat(1024),
  ]) {
    it(`joins parts under the key ${JSON.stringify(key.slice(0, 12))}`, async () => {
      await uploadParts(opened.store, at(BOX, key), textPieces('first,', 'second'))
      expect(await read(at(BOX, key))).to.equal('first,second')
      expect((await opened.store.head(at(BOX, key), newCall())).size).to.equal(12)
      await opened.store.deleteObject(at(BOX, key), newCall())
      await failureOf(opened.store.head(at(BOX, key), newCall()), 'not-found')
    })
  }

  it('deletes the segments with their object', async () => {
    await uploadParts(opened.store, at(BOX, 'gone'), textPieces('1', '2'))
    expect(await segmentsOf('gone')).to.have.length(2)
    await opened.store.deleteObject(at(BOX, 'gone'), newCall())
    expect(await segmentsOf('gone')).to.deep.equal([])
  })

  it('deletes the segments of what a large object replaced, and none of its own', async () => {
    await uploadParts(opened.store, at(BOX, 'again'), textPieces('old', 'er'))
    const [before] = await segmentsOf('again')
    expect(await uploadParts(opened.store, at(BOX, 'again'), textPieces('new', 'er'))).not.to.have.property('notes')
    const names = await segmentsOf('again')
    expect(names).to.have.length(2)
    expect(names).not.to.include(before)
    expect(await read(at(BOX, 'again'))).to.equal('newer')
  })

  it('deletes the segments of what a small object replaced', async () => {
    await uploadParts(opened.store, at(BOX, 'shrunk'), textPieces('large', 'object'))
    await opened.store.putWhole(at(BOX, 'shrunk'), bufferBody(Buffer.from('small')), {}, newCall())
    expect(await segmentsOf('shrunk')).to.deep.equal([])
    expect(await read(at(BOX, 'shrunk'))).to.equal('small')
  })

  it('keeps them where it is told to', async () => {
    const options = {keepOldSegments: true}
    await uploadParts(opened.store, at(BOX, 'kept'), textPieces('a', 'b'))
    await uploadParts(opened.store, at(BOX, 'kept'), textPieces('c', 'd'), options)
    await opened.store.putWhole(at(BOX, 'kept'), bufferBody(Buffer.from('e')), options, newCall())
    expect(await segmentsOf('kept')).to.have.length(4)
  })

  it('keeps the old object and its segments when the new one is refused', async () => {
    await uploadParts(opened.store, at(BOX, 'stays'), textPieces('old', 'bytes'))
    const {session, receipts} = await sendParts(opened.store, at(BOX, 'stays'), textPieces('new', 'words'))
    const wrong = receipts.map(each => ({...each, etag: '0'.repeat(32)}))
    await failureOf(opened.store.complete(session, wrong, newCall()), 'integrity')
    expect(await read(at(BOX, 'stays'))).to.equal('oldbytes')
    await opened.store.abort(session, newCall())
    expect(await read(at(BOX, 'stays'))).to.equal('oldbytes')
    expect(await segmentsOf('stays')).to.have.length(2)
  })

  it('deletes no segment of an object that stands, whoever aborts its upload', async () => {
    const {session, receipts} = await sendParts(opened.store, at(BOX, 'stands'), textPieces('x', 'y'))
    await opened.store.complete(session, receipts, newCall())
    await opened.store.abort(session, newCall())
    expect(await read(at(BOX, 'stands'))).to.equal('xy')
  })

  it('takes a complete for its own where nothing may be replaced and the answer was lost', async () => {
    const {session, receipts} = await sendParts(opened.store, at(BOX, 'once'), textPieces('p', 'q'), {noClobber: true})
    const twin = await sendParts(opened.store, at(BOX, 'once'), textPieces('p', 'q'), {noClobber: true})
    await opened.store.complete(session, receipts, newCall())
    // Another process, after a kill: it knows nothing but the journal.
    const other = await openSwift({auth}, {isBare: true})
    const again = JSON.parse(JSON.stringify(session)) as typeof session
    expect(await other.store.complete(again, receipts, newCall())).to.include({size: 2})
    other.close()
    await failureOf(opened.store.complete(twin.session, twin.receipts, newCall()), 'exists')
    await opened.store.abort(twin.session, newCall())
    expect(await read(at(BOX, 'once'))).to.equal('pq')
  })

  it('knows an upload without parts from one that was forgotten', async () => {
    const plan = {size: 2, partSize: 1, count: 2}
    const session = await opened.store.begin(at(BOX, 'empty'), {}, plan, newCall())
    expect(await opened.store.listParts(session, newCall())).to.deep.equal([])
    await opened.store.abort(session, newCall())
    await failureOf(opened.store.listParts(session, newCall()), 'not-found')
  })

  it('puts segments where it is told to, under the policy of the container', async () => {
    const options = {segmentContainer: 'my segments'}
    await uploadParts(opened.store, at(BOX, 'elsewhere'), textPieces('1', '2'), options)
    expect(await listNames(access, 'my segments')).to.have.length(2)
    const policies = await Promise.all(
      [BOX, 'my segments', SEGMENTS].map(async box => (await headOf(box))['x-storage-policy']),
    )
    expect(policies[0]).to.be.a('string')
    expect(new Set(policies).size).to.equal(1)
  })

  it('lets the object expire, and its segments later', async () => {
    const now = Date.now() / 1000
    await uploadParts(opened.store, at(BOX, 'short'), textPieces('1', '2'), {deleteAfterInSeconds: 600})
    expect(Number((await headOf(`${BOX}/short`))['x-delete-at'])).to.be.within(now + 595, now + 660)
    for (const name of await segmentsOf('short')) {
      expect(Number((await headOf(`${SEGMENTS}/${name}`))['x-delete-at'])).to.be.greaterThan(now + 24 * 3600)
    }
  })

  it('gives type, metadata and disposition to the object and not to its segments', async () => {
    const options = {
      contentType: 'text/x-large',
      contentDisposition: 'attachment; filename="l"',
      metadata: {name: 'Größe 100%41'},
    }
    await uploadParts(opened.store, at(BOX, 'dressed'), textPieces('1', '2'), options)
    expect(await opened.store.head(at(BOX, 'dressed'), newCall())).to.deep.include(options)
    const [segment = ''] = await segmentsOf('dressed')
    const headers = await headOf(`${SEGMENTS}/${segment}`)
    expect(headers['content-type']).to.equal('application/octet-stream')
    expect(headers).not.to.have.property('x-object-meta-name')
  })

  it('compares by the MD5s of the segments, and tells which one differs', async () => {
    const target = at(BOX, 'compared')
    await uploadParts(opened.store, target, textPieces('aaaa', 'bbbb', 'cc'))
    const same = await opened.store.compare(target, bufferBody(Buffer.from('aaaabbbbcc')), {}, newCall())
    expect(same.by).to.equal('md5')
    const other = bufferBody(Buffer.from('aaaabbXbcc'))
    const failure = await failureOf(opened.store.compare(target, other, {}, newCall()), 'integrity')
    expect(failure.message).to.contain('segment 2')
    await failureOf(opened.store.compare(target, bufferBody(Buffer.from('aaaa')), {}, newCall()), 'integrity')
  })

  it('fails integrity, and not with half the bytes, where the first segment is gone', async () => {
    await uploadParts(opened.store, at(BOX, 'broken'), textPieces('a', 'b'))
    const [first = ''] = await segmentsOf('broken')
    await send('DELETE', `${SEGMENTS}/${first}`)
    expect((await failureOf(read(at(BOX, 'broken')), 'integrity')).message).to.contain('broken')
  })

  describe('pending uploads', () => {
    const list = async (prefix: string, store = opened.store): Promise<string[]> =>
      (await collect(store.listUploads(at(BOX, prefix), newCall()))).map(each => `${each.target.key} ${each.uploadId}`)

    it('are found page by page, and each as it stands', async () => {
      const paged = await openSwift({auth}, {isBare: true, pageSize: 3})
      const keys = ['pages/a', 'pages/a/b', 'pages/b', 'pages/ü c']
      const expected: string[] = []
      for (const key of keys) {
        const {session} = await sendParts(opened.store, at(BOX, key), textPieces('1', '2', '3', '4', '5'))
        expected.push(`${key} ${session.uploadId}`)
      }
      expect(await list('pages/', paged.store)).to.have.members(expected)
      const first = paged.requests.filter(({path}) => path.endsWith(SEGMENTS)).length
      expect(first).to.be.within(2, 14)
      const parts = await paged.store.listParts(
        {
          ...at(BOX),
          target: at(BOX, 'pages/b'),
          uploadId: expected[2]?.split(' ')[1] ?? '',
          options: {},
          size: 5,
          partSize: 1,
          checksum: 'md5',
        },
        newCall(),
      )
      expect(parts.map(({number}) => number)).to.deep.equal([1, 2, 3, 4, 5])
      const objects = await collect(paged.store.list(at(BOX, ''), newCall()))
      expect(objects.map(({target}) => target.key)).to.deep.equal(await listNames(access, BOX))
      paged.close()
    })

    it('are known by keys too long for a name', async () => {
      const key = `hashed/${'z'.repeat(1000)}`
      const {session} = await sendParts(opened.store, at(BOX, key), textPieces('1'))
      expect(await list('hashed/')).to.deep.equal([`${key} ${session.uploadId}`])
      expect(await list('')).to.include(`${key} ${session.uploadId}`)
      expect(await list('other/')).to.deep.equal([])
      const pending = {
        target: at(BOX, key),
        uploadId: session.uploadId,
        options: {},
        size: 0,
        partSize: 0,
        checksum: 'md5',
      } as const
      await opened.store.abort(pending, newCall())
      expect(await list('hashed/')).to.deep.equal([])
    })

    it('are none that a manifest names, be it under another key', async () => {
      await uploadParts(opened.store, at(BOX, 'copied'), textPieces('1', '2'))
      const manifest = await send('GET', `${BOX}/copied?multipart-manifest=get&format=raw`)
      await send('PUT', `${BOX}/copy-of-it?multipart-manifest=put`, {}, String(manifest.bytes))
      await send('DELETE', `${BOX}/copied`)
      expect(await list('copied')).to.deep.equal([])
      await send('DELETE', `${BOX}/copy-of-it`)
      expect(await list('copied')).to.have.length(1)
    })

    it('are none where nothing large was ever uploaded', async () => {
      await makeContainer(access, 'plain')
      expect(await collect(opened.store.listUploads(at('plain'), newCall()))).to.deep.equal([])
    })
  })
})
