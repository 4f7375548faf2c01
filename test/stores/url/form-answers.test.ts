import {createHash} from 'node:crypto'
import {createServer} from 'node:http'
import type {Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import {failureOf} from '../contract/bench.ts'
import {at, call, openDrivers} from '../s3/open-drivers.ts'
import type {Drivers} from '../s3/open-drivers.ts'
import {putByUrl} from './open-urls.ts'

const md5Of = (text: string): string => createHash('md5').update(text).digest('hex')
/** As Ceph's gateway writes it, which has no ETag among its headers. */
const documentOf = (etag: string): string =>
  `<PostResponse><Location>http://store/box/k</Location><Bucket>box</Bucket><Key>k</Key><ETag>${etag}</ETag></PostResponse>`

describe('the answer to a form', () => {
  let server: Server
  let store: Drivers
  let reply: {readonly status: number; readonly text?: string; readonly headers?: Record<string, string>}

  before(async () => {
    server = createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(reply.status, reply.headers).end(reply.text))
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    store = openDrivers({endpoint, region: 'us-east-1', accessKeyId: 'AKID', secretAccessKey: 'a secret of mine'})
  })
  after(() => {
    store.close()
    server.close()
  })

  async function post(answer: typeof reply) {
    reply = answer
    const form = await store.tempUrl(at('box', 'k'), {method: 'POST', maxSize: 1000, expiresIn: 3_600_000}, call)
    return putByUrl(form, 'hello')
  }

  it('may tell in its document alone what was stored', async () => {
    for (const etag of [md5Of('hello'), `&quot;${md5Of('hello')}&quot;`]) {
      const stored = await post({status: 201, text: documentOf(etag)})
      expect(stored).to.deep.include({etag: md5Of('hello'), verified: {by: 'md5'}})
    }
    await failureOf(post({status: 201, text: documentOf(md5Of('other'))}), 'integrity')
  })

  it('that is a bare 204 is a success whose bytes nobody has verified, which is said', async () => {
    const stored = await post({status: 204})
    expect(stored).to.deep.include({
      size: 5,
      etag: '',
      md5: md5Of('hello'),
      verified: {by: 'none', note: 'the store did not say what it stored'},
    })
    await failureOf(post({status: 204, headers: {etag: `"${md5Of('other')}"`}}), 'integrity')
  })

  it('that is another one and tells nothing is none', async () => {
    for (const answer of [
      {status: 200},
      {status: 200, text: 'ok'},
      {status: 201, text: '<PostResponse/>'},
      {status: 201, text: '<PostResponse><ETag>'},
    ]) {
      await failureOf(post(answer), 'integrity')
    }
  })
})
