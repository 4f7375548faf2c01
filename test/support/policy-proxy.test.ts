import {expect} from 'chai'
import {startPlainStore} from './plain-store.ts'
import {startPolicyProxy} from './policy-proxy.ts'

describe('policy proxy', () => {
  const key = '/c/k'
  const writes = [
    ['PUT', key],
    ['POST', `${key}?uploads=`],
    ['PUT', `${key}?partNumber=1&uploadId=u`],
    ['POST', `${key}?uploadId=u`],
    ['DELETE', `${key}?uploadId=u`],
  ] as const
  const reads = [
    ['HEAD', key],
    ['GET', key],
    ['GET', `${key}?uploadId=u`],
    ['GET', '/c?list-type=2'],
    ['GET', '/c/?uploads'],
    ['HEAD', '/c'],
    ['GET', '/c?cors'],
    ['GET', '/'],
  ] as const

  it('refuses every read and passes every write, also after `clear`', async () => {
    const store = await startPlainStore()
    const proxy = await startPolicyProxy({upstream: store.endpoint})
    try {
      proxy.clear()
      for (const [method, path] of reads) {
        const reply = await fetch(proxy.endpoint + path, {method})
        expect(reply.status, `${method} ${path}`).to.equal(403)
        expect(await reply.text()).to.match(method === 'HEAD' ? /^$/ : /<Code>AccessDenied</)
      }
      expect(store.requests).to.have.length(0)
      for (const [method, path] of writes) {
        const reply = await fetch(proxy.endpoint + path, {method})
        expect(reply.status, `${method} ${path}`).to.equal(200)
        await reply.text()
      }
      expect(store.requests.map(({method, url}) => [method, url])).to.deep.equal(writes)
      expect(proxy.log).to.have.length(reads.length + writes.length)
    } finally {
      await proxy.close()
      await store.close()
    }
  })

  it('refuses what it is told to', async () => {
    const store = await startPlainStore()
    const proxy = await startPolicyProxy({upstream: store.endpoint, deny: ['create']})
    try {
      expect((await fetch(`${proxy.endpoint}${key}?uploads`, {method: 'POST'})).status).to.equal(403)
      expect((await fetch(proxy.endpoint + key)).status).to.equal(200)
    } finally {
      await proxy.close()
      await store.close()
    }
  })
})
