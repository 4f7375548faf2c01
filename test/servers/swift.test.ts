import {expect} from 'chai'
import {needSwift, startSwift, type SwiftServer} from './swift.ts'

describe('the real Swift of the tests', function () {
  this.timeout(90_000)
  let swift: SwiftServer

  before(async function () {
    needSwift(this)
    swift = await startSwift()
  })

  it('is one server for all suites of a process', async () => {
    expect((await startSwift()).v1.authUrl).to.equal(swift.v1.authUrl)
  })

  it('gives a token for its user and key', async () => {
    const answer = await fetch(swift.v1.authUrl, {headers: {'x-auth-user': swift.v1.user, 'x-auth-key': swift.v1.key}})
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('x-storage-url')).to.equal(swift.v1.storageUrl)
  })

  it('answers at its S3 endpoint', async () => {
    const answer = await fetch(`${swift.s3.endpoint}/`, {headers: {authorization: 'AWS nobody:nothing', date: 'now'}})
    expect(await answer.text()).to.contain('<Code>')
  })

  it('fails on demand', async () => {
    await swift.control('kill', 'object')
    const put = () =>
      fetch(swift.v1.authUrl, {headers: {'x-auth-user': swift.v1.user, 'x-auth-key': swift.v1.key}}).then(
        async auth => {
          const headers = {'x-auth-token': auth.headers.get('x-auth-token') ?? ''}
          await fetch(`${swift.v1.storageUrl}/on-demand`, {method: 'PUT', headers})
          return fetch(`${swift.v1.storageUrl}/on-demand/a`, {method: 'PUT', headers, body: 'a'})
        },
      )
    expect((await put()).status).to.equal(503)
    await swift.control('respawn', 'object')
    expect((await put()).status).to.equal(201)
  })
})
