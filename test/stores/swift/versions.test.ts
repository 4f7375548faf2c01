import {expect} from 'chai'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {collect, newCall} from '../contract/bench.ts'
import {ask, escapePath, listNames, makeContainer, signIn} from './foreign-swift.ts'
import type {SwiftAccess} from './foreign-swift.ts'
import {openSwift} from './open-swift.ts'
import type {OpenedSwift} from './open-swift.ts'
import {at, textPieces, uploadParts} from './upload-parts.ts'

const small = () => bufferBody(Buffer.from('small'))

describe('old versions of large objects of Swift', function () {
  this.timeout(60_000)
  let opened: OpenedSwift
  let access: SwiftAccess

  before(async function () {
    needSwift(this)
    const {v1} = await startSwift()
    access = await signIn(v1)
    opened = await openSwift({auth: {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key}}, {isBare: true})
  })
  after(() => opened?.close())

  const send = (method: string, path: string, headers: Record<string, string> = {}) =>
    ask(`${access.storageUrl}/${path}`, {method, headers: {'x-auth-token': access.token, ...headers}})
  const readText = async (path: string) => {
    const {status, bytes} = await send('GET', path)
    return `${status} ${String(bytes)}`
  }
  const make = async (box: string, headers: Record<string, string>) => {
    await makeContainer(access, box)
    expect((await send('POST', box, headers)).status).to.equal(204)
  }
  /** The old versions of a container, the youngest first, as they read. */
  const readVersions = async (box: string): Promise<string[]> => {
    const {bytes} = await send('GET', `${box}?versions=true&format=json`)
    const all = JSON.parse(String(bytes)) as {name: string; version_id: string; is_latest: boolean}[]
    const old = all.filter(each => !each.is_latest)
    return Promise.all(old.map(each => readText(`${escapePath(`${box}/${each.name}`)}?version-id=${each.version_id}`)))
  }

  it('are read whole after another object has replaced them, small or large', async () => {
    await make('kept', {'x-versions-enabled': 'true'})
    await uploadParts(opened.store, at('kept', 'x'), textPieces('fi', 'rst'))
    await uploadParts(opened.store, at('kept', 'x'), textPieces('sec', 'ond'))
    const stored = await opened.store.putWhole(at('kept', 'x'), small(), {}, newCall())
    expect(stored).not.to.have.property('notes')
    expect(await readVersions('kept')).to.deep.equal(['200 second', '200 first'])
  })

  it('are read whole after the object was deleted', async () => {
    await make('left', {'x-versions-enabled': 'true'})
    await uploadParts(opened.store, at('left', 'x'), textPieces('fi', 'rst'))
    await opened.store.deleteObject(at('left', 'x'), newCall())
    expect(await listNames(access, 'left')).to.deep.equal([])
    expect(await readVersions('left')).to.include('200 first')
  })

  it('are read whole where versions are kept no more', async () => {
    await make('once', {'x-versions-enabled': 'true'})
    await uploadParts(opened.store, at('once', 'x'), textPieces('fi', 'rst'))
    await send('POST', 'once', {'x-versions-enabled': 'false'})
    await opened.store.putWhole(at('once', 'x'), small(), {}, newCall())
    expect(await readVersions('once')).to.deep.equal(['200 first'])
  })

  for (const header of ['x-versions-location', 'x-history-location']) {
    it(`are read whole in the container that ${header} names`, async () => {
      const [box, archive] = [`old-${header}`, `archive-${header}`]
      await makeContainer(access, archive)
      await make(box, {[header]: archive})
      await uploadParts(opened.store, at(box, 'x'), textPieces('fi', 'rst'))
      await opened.store.putWhole(at(box, 'x'), small(), {}, newCall())
      const [name = ''] = await listNames(access, archive)
      expect(await readText(escapePath(`${archive}/${name}`))).to.equal('200 first')
    })
  }

  it('have no segments among unfinished uploads, until they are gone, on whatever page they are', async () => {
    await make('paged', {'x-versions-enabled': 'true'})
    const words = ['one', 'two', 'three', 'four', 'five']
    for (const word of words) await uploadParts(opened.store, at('paged', 'x'), textPieces(word, '!'))
    await opened.store.deleteObject(at('paged', 'x'), newCall())
    const {v1} = await startSwift()
    const auth = {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key} as const
    const paged = await openSwift({auth}, {isBare: true, pageSize: 2})
    const listed = () => collect(paged.store.listUploads(at('paged'), newCall()))
    expect(await listed()).to.deep.equal([])

    const {bytes} = await send('GET', 'paged?versions=true&format=json')
    const versions = JSON.parse(String(bytes)) as {version_id: string}[]
    expect(versions).to.have.length(6)
    for (const {version_id: id} of versions) await send('DELETE', `paged/x?version-id=${id}`)
    expect(await listed()).to.have.length(5)
    paged.close()
  })

  it('are looked for once, however many objects are deleted together', async () => {
    await makeContainer(access, 'plain')
    for (const key of ['a', 'b', 'c']) await uploadParts(opened.store, at('plain', key), textPieces('1', '2'))
    const before = opened.requests.length
    await Promise.all(['a', 'b', 'c'].map(key => opened.store.deleteObject(at('plain', key), newCall())))
    const asked = opened.requests.slice(before).filter(({method, path}) => method === 'HEAD' && path.endsWith('/plain'))
    expect(asked).to.have.length(1)
    expect(await listNames(access, 'plain_segments')).to.deep.equal([])
  })
})
