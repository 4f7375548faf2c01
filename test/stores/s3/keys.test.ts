import {expect} from 'chai'
import {createAgents} from '../../../src/http/agents.ts'
import type {Agents} from '../../../src/http/agents.ts'
import {startSandbox} from '../../../src/sandbox/server.ts'
import type {Sandbox} from '../../../src/sandbox/server.ts'
import {SANDBOX} from '../../../src/stores/s3/quirks.ts'
import {send} from '../../../src/http/send.ts'
import {createPresign, encodeKey} from '../../../src/stores/s3/sign.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import {newCall, open, textBody} from './wire.ts'
import type {Opened} from './wire.ts'

const KEYS = [
  ' ',
  ' a b ',
  'a+b',
  'a%2Fb',
  'a%zz',
  '100%',
  'a?b=c&d',
  'a#b',
  `it's "quoted"`,
  '(a)*!$,;:@=[]{}|^`~\\',
  '<a&b>',
  '..',
  '.',
  '../x',
  'a/../b',
  'a/./b/..',
  '/x',
  '//',
  'a//b/',
  'Übersicht.pdf',
  'U\u0308bersicht.pdf',
  '日本語/ファイル',
  '🚀/👩‍👩‍👧',
  'tab\there',
  'a'.repeat(1024),
  '日'.repeat(341),
]

describe('keys of S3, as the sandbox reads them', () => {
  let sandbox: Sandbox
  let agents: Agents
  let store: Opened
  const at = (key: string) => ({remote: 'sandbox', container: 'keys', key})

  before(async () => {
    sandbox = await startSandbox({folder: await makeTempFolder()})
    agents = createAgents()
    store = open({
      endpoint: sandbox.endpoint,
      region: sandbox.region,
      quirks: SANDBOX,
      credentials: () => Promise.resolve(sandbox),
      wire: {agents},
    })
    await store.connection.request({method: 'PUT', target: at('')}, newCall())
  })
  after(async () => {
    agents.close()
    await sandbox.close()
  })

  it('are written, looked at, read and listed as they stand', async () => {
    for (const key of KEYS) {
      const stored = await store.putWhole(at(key), textBody(`<${key}>`), {}, newCall())
      expect(stored, key).to.deep.include({verified: {by: 'crc32'}})
    }
    for (const key of KEYS) {
      const size = Buffer.byteLength(`<${key}>`)
      expect(await store.head(at(key), newCall()), key).to.deep.include({target: at(key), size})
      let text = ''
      await store.read(at(key), undefined, bytes => void (text += bytes.toString('latin1')), newCall())
      expect(Buffer.from(text, 'latin1').toString()).to.equal(`<${key}>`)
    }
    const listed: string[] = []
    for await (const {target} of store.list(at(''), newCall())) listed.push(target.key)
    expect(listed).to.have.members(KEYS)
    expect(listed).to.have.length(KEYS.length)
  })

  it('survive an upload in parts', async () => {
    for (const key of ['a/../b c+d?', '🚀 100%', '..']) {
      const session = await store.begin(at(key), {}, {size: 4, partSize: 4, count: 1}, newCall())
      const pending: string[] = []
      for await (const {target, uploadId} of store.listUploads(at(''), newCall()))
        pending.push(`${target.key} ${uploadId}`)
      expect(pending).to.deep.equal([`${key} ${session.uploadId}`])
      const receipt = await store.putPart(session, {number: 1, offset: 0, size: 4}, textBody('part'), newCall())
      expect(await store.listParts(session, newCall())).to.deep.equal([{...receipt, crc32: ''}])
      expect(await store.complete(session, [receipt], newCall())).to.deep.include({
        target: at(key),
        verified: {by: 'crc32'},
      })
      expect(await store.complete(session, [receipt], newCall())).to.deep.include({target: at(key), size: 4})
      await store.abort(session, newCall())
    }
  })

  it('stand in presigned URLs, which say exactly what is to be sent', async () => {
    for (const key of KEYS) {
      const headers = {'content-type': 'text/plain', 'x-amz-meta-a': 'b'}
      const place = {origin: sandbox.endpoint, path: `/keys/${encodeKey(key)}`}
      const presign = createPresign(place, {region: sandbox.region, credentials: sandbox}, 60)
      const path = presign({method: 'PUT', query: {}, headers}).url.slice(sandbox.endpoint.length)
      const put = (given: Record<string, string>) =>
        send(
          {agents},
          {method: 'PUT', origin: sandbox.endpoint, path, headers: given, body: textBody('by url')},
          newCall(),
        )
      expect((await put(headers)).status, key).to.equal(200)
      expect((await put({...headers, 'x-amz-meta-a': 'c'})).status, key).to.equal(403)
      expect(await store.head(at(key), newCall())).to.deep.include({
        size: 6,
        contentType: 'text/plain',
        metadata: {a: 'b'},
      })
    }
  })

  it('are deleted as they stand', async () => {
    for (const key of ['..', '../x', '//', 'a%2Fb']) await store.deleteObject(at(key), newCall())
    const left: string[] = []
    for await (const {target} of store.list(at(''), newCall())) left.push(target.key)
    expect(left).to.not.include.any.members(['..', '../x', '//', 'a%2Fb'])
    expect(left).to.include.members(['a/../b', '.', '/x', 'a+b'])
  })
})
