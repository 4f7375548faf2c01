import {expect} from 'chai'
import {createNockedAgents} from '../../support/nock.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {SwiftAuth} from '../../../src/stores/remote.ts'
import type {CatalogWish} from '../../../src/stores/swift/catalog.ts'
import {createSignIn} from '../../../src/stores/swift/sign-in.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {failureOf, newCall} from '../contract/bench.ts'
import {answer} from '../s3/wire.ts'
import {makeContainer, signInKeystone} from './foreign-swift.ts'
import {openSwift} from './open-swift.ts'
import {at} from './upload-parts.ts'
import {answerSwift, AUTH, ORIGIN, openBare, stopAnswering} from './wire.ts'
import type {Reply} from './wire.ts'

const KEYSTONE = 'https://k.test:5000'
const signal = new AbortController().signal
const signIn = (auth: SwiftAuth, wish: CatalogWish = {}) =>
  createSignIn({agents: createNockedAgents()}, auth, wish)(signal)

const endpoint = (region: string, kind: string) => ({
  region,
  region_id: region,
  interface: kind,
  url: `https://${kind}.${region}.test/v1/a`,
})
const V3 = JSON.stringify({
  token: {
    catalog: [
      {type: 'compute', name: 'nova', endpoints: [endpoint('One', 'public')]},
      {
        type: 'object-store',
        name: 'swift',
        endpoints: [endpoint('One', 'public'), endpoint('One', 'internal'), endpoint('Two', 'public')],
      },
    ],
  },
})
const OK: Reply = [201, V3, {'x-subject-token': 'tok'}]
const PASSWORD = {
  method: 'v3-password',
  authUrl: `${KEYSTONE}/v3`,
  username: 'me',
  password: 'hidden',
  projectName: 'p',
} as const

// The shape of Rackspace's documentation; the service itself was never asked.
const RACKSPACE = JSON.stringify({
  access: {
    token: {id: 'rax-token', expires: '2026-11-22T22:58:34.153Z', tenant: {id: '1100111', name: '1100111'}},
    serviceCatalog: [
      {name: 'cloudFilesCDN', type: 'rax:object-cdn', endpoints: [{region: 'DFW', publicURL: 'https://cdn.test/v1/M'}]},
      {
        name: 'cloudFiles',
        type: 'object-store',
        endpoints: ['DFW', 'ORD'].map(region => ({
          region,
          tenantId: 'MossoCloudFS_x',
          publicURL: `https://storage101.${region.toLowerCase()}1.test/v1/MossoCloudFS_x`,
          internalURL: `https://snet-storage101.${region.toLowerCase()}1.test/v1/MossoCloudFS_x`,
        })),
      },
    ],
    user: {id: '1', name: 'rax', 'RAX-AUTH:defaultRegion': 'DFW'},
  },
})

afterEach(stopAnswering)

describe('signing in to Swift', () => {
  const documents: [string, SwiftAuth, unknown][] = [
    [
      'a password, with the default domains',
      PASSWORD,
      {
        identity: {
          methods: ['password'],
          password: {user: {name: 'me', domain: {id: 'default'}, password: 'hidden'}},
        },
        scope: {project: {name: 'p', domain: {id: 'default'}}},
      },
    ],
    [
      'a password, all by id',
      {method: 'v3-password', authUrl: `${KEYSTONE}/v3/`, userId: 'u', password: 'hidden', projectId: 'pid'},
      {
        identity: {methods: ['password'], password: {user: {id: 'u', password: 'hidden'}}},
        scope: {project: {id: 'pid'}},
      },
    ],
    [
      'a token',
      {method: 'v3-token', authUrl: `${KEYSTONE}/v3`, token: 'old', projectName: 'p', projectDomainName: 'D'},
      {identity: {methods: ['token'], token: {id: 'old'}}, scope: {project: {name: 'p', domain: {name: 'D'}}}},
    ],
    [
      'an application credential by id, without a scope',
      {method: 'application-credential', authUrl: `${KEYSTONE}/v3`, id: 'i', secret: 's'},
      {identity: {methods: ['application_credential'], application_credential: {id: 'i', secret: 's'}}},
    ],
    [
      'an application credential by name and user, without a scope',
      {
        method: 'application-credential',
        authUrl: `${KEYSTONE}/v3`,
        credentialName: 'n',
        username: 'me',
        userDomainId: 'd',
        secret: 's',
      },
      {
        identity: {
          methods: ['application_credential'],
          application_credential: {name: 'n', secret: 's', user: {name: 'me', domain: {id: 'd'}}},
        },
      },
    ],
  ]
  for (const [title, auth, document] of documents) {
    it(`sends Keystone v3 ${title}`, async () => {
      const seen = answer([OK], KEYSTONE)
      expect(await signIn(auth, {region: 'One'})).to.deep.equal({
        storageUrl: 'https://public.One.test/v1/a',
        token: 'tok',
      })
      expect(seen.map(({method, path}) => `${method} ${path}`)).to.deep.equal(['POST /v3/auth/tokens'])
      expect(JSON.parse(seen[0]?.body ?? '')).to.deep.equal({auth: document})
    })
  }

  it('sends Keystone v2 a password and a tenant', async () => {
    const seen = answer([[200, RACKSPACE]], KEYSTONE)
    const auth = {
      method: 'v2-password',
      authUrl: `${KEYSTONE}/v2.0`,
      username: 'me',
      password: 'pw',
      projectName: 't',
    } as const
    expect((await signIn(auth, {region: 'ORD'})).storageUrl).to.contain('ord1')
    expect(seen[0]?.path).to.equal('/v2.0/tokens')
    expect(JSON.parse(seen[0]?.body ?? '')).to.deep.equal({
      auth: {passwordCredentials: {username: 'me', password: 'pw'}, tenantName: 't'},
    })
  })

  it("sends Rackspace an API key, and takes the account's own region, the one that is wished, or the internal address", async () => {
    const seen = answer(
      [
        [200, RACKSPACE],
        [200, RACKSPACE],
        [200, RACKSPACE],
      ],
      'https://identity.test',
    )
    const auth = {method: 'api-key', authUrl: 'https://identity.test/v2.0', username: 'rax', apiKey: 'key'} as const
    const {ends, ...access} = await signIn(auth)
    expect(access).to.deep.equal({
      storageUrl: 'https://storage101.dfw1.test/v1/MossoCloudFS_x',
      token: 'rax-token',
      who: 'rax',
    })
    expect(ends?.toISOString()).to.equal('2026-11-22T22:58:34.153Z')
    expect((await signIn(auth, {region: 'ORD'})).storageUrl).to.equal('https://storage101.ord1.test/v1/MossoCloudFS_x')
    expect((await signIn(auth, {region: 'ORD', interface: 'internal'})).storageUrl).to.equal(
      'https://snet-storage101.ord1.test/v1/MossoCloudFS_x',
    )
    expect(JSON.parse(seen[0]?.body ?? '')).to.deep.equal({
      auth: {'RAX-KSKEY:apiKeyCredentials': {username: 'rax', apiKey: 'key'}},
    })
  })

  it('takes a storage URL that is known before the catalog', async () => {
    answer([[201, JSON.stringify({token: {}}), {'x-subject-token': 'tok'}]], KEYSTONE)
    const storageUrl = 'https://near.test/v1/a'
    expect(await signIn(PASSWORD, {storageUrl})).to.deep.equal({storageUrl, token: 'tok'})
  })

  const missing: [string, CatalogWish, string, RegExp, RegExp][] = [
    ['a region that there is not', {region: 'Three'}, V3, /"Three"/u, /One, Two/u],
    ['an interface that there is not', {region: 'Two', interface: 'internal'}, V3, /internal/u, /public/u],
    ['no region where there are several', {}, V3, /several regions/u, /One, Two/u],
    [
      'no object store',
      {},
      '{"token":{"catalog":[{"type":"compute","endpoints":[{"url":"x"}]}]}}',
      /compute/u,
      /project/u,
    ],
    ['no catalog', {}, '{"token":{}}', /no project/u, /OS_PROJECT_NAME/u],
  ]
  for (const [title, wish, text, message, suggestion] of missing) {
    it(`fails config on ${title}, and names what there is`, async () => {
      answer([[201, text, {'x-subject-token': 'tok'}]], KEYSTONE)
      const failure = await failureOf(signIn(PASSWORD, wish), 'config')
      expect(failure.message).to.match(message)
      expect(failure.suggestion).to.match(suggestion)
    })
  }

  const refusals: [string, Reply, string, boolean][] = [
    ['401', [401, '{"error":{"message":"no hidden here"}}'], 'auth', false],
    ['403', [403, ''], 'auth', false],
    ['400', [400, '{"error":{"message":"Expecting a domain, got hidden"}}'], 'config', false],
    ['404', [404, '<html>hidden</html>'], 'config', false],
    ['300', [300, '{}'], 'config', false],
    ['503', [503, 'hidden'], 'busy', true],
    ['429', [429, ''], 'busy', true],
    ['a page', [200, '<html>hidden</html>', {'x-subject-token': 't'}], 'config', false],
    ['no token', [201, V3], 'config', false],
    ['a cut connection', 'reset', 'network', true],
  ]
  for (const [title, reply, code, retryable] of refusals) {
    it(`fails ${code} on ${title}, and shows no secret`, async () => {
      answer([reply], KEYSTONE)
      const failure = await failureOf(signIn(PASSWORD, {region: 'One'}), code as 'auth')
      expect(failure.retryable).to.equal(retryable)
      const {message, suggestion, context, cause, stack} = failure
      expect(JSON.stringify([message, suggestion, context, String(cause), stack])).not.to.contain('hidden')
    })
  }

  it('fails config on a v1 answer that is none, and on an address that is none', async () => {
    answer([[200, 'welcome']], ORIGIN)
    expect((await failureOf(signIn(AUTH), 'config')).suggestion).to.contain('ST_AUTH')
    await failureOf(signIn({...AUTH, authUrl: 'nonsense'}), 'config')
  })
})

describe('a token of Swift', () => {
  it('is fetched by the first request, once for all', async () => {
    let count = 0
    const seen = answer(({path, headers}) => {
      if (path === '/auth/v1.0') {
        count++
        return [200, '', {'x-storage-url': `${ORIGIN}/v1/AUTH_a`, 'x-auth-token': headers['x-auth-key'] ?? ''}]
      }
      return [204, '']
    }, ORIGIN)
    const {store} = await openBare()
    expect(seen).to.deep.equal([])
    await Promise.all(Array.from({length: 8}, (_, index) => store.head(at('c', String(index)), newCall())))
    expect([count, seen.length]).to.deep.equal([1, 9])
  })

  it('is renewed on a 401, once for all that fail at the same time, and the bodies go again', async () => {
    const seen = answerSwift(({headers}) => (headers['x-auth-token'] === 'token-1' ? [401, 'ended'] : [204, '']))
    const {store, requests} = await openBare()
    await Promise.all([1, 2, 3, 4].map(index => store.head(at('c', String(index)), newCall())))
    expect(seen.filter(({headers}) => headers['x-auth-token'] === 'token-2')).to.have.length(4)
    expect(requests.filter(({path}) => path === '/auth/v1.0')).to.have.length(2)
  })

  it('is renewed in the middle of an upload, and the part goes again from its beginning', async () => {
    const seen = answerSwift(({headers}) => {
      if (headers['x-auth-token'] === 'token-1') return [401, 'ended']
      return [201, '', {etag: '5d41402abc4b2a76b9719d911017c592'}]
    })
    const {store} = await openBare()
    const session = {target: at('c', 'k'), uploadId: 'u', options: {}, size: 5, partSize: 5, checksum: 'md5'} as const
    const body = bufferBody(Buffer.from('hello'))
    const receipt = await store.putPart(session, {number: 1, offset: 0, size: 5}, body, newCall())
    expect(receipt).to.deep.include({size: 5, etag: '5d41402abc4b2a76b9719d911017c592', crc32: '3610a686'})
    expect(seen.map(({body: sent}) => sent)).to.deep.equal(['hello', 'hello'])
  })

  it('that is refused twice fails auth, and is renewed again for the next one', async () => {
    const seen = answerSwift(() => [401, ''])
    const {store, requests} = await openBare()
    await failureOf(store.head(at('c', 'k'), newCall()), 'auth')
    await failureOf(store.head(at('c', 'k'), newCall()), 'auth')
    expect(seen).to.have.length(4)
    expect(requests.filter(({path}) => path === '/auth/v1.0')).to.have.length(3)
  })

  it('that was given cannot be renewed, and says so', async () => {
    answer([[401, '']], ORIGIN)
    const auth = {method: 'storage-url', storageUrl: `${ORIGIN}/v1/AUTH_a`, token: 't'} as const
    const {store} = await openSwift({auth}, {isBare: true})
    await failureOf(store.head(at('c', 'k'), newCall()), 'expired')
    const tokenless = await openSwift(
      {auth: {method: 'storage-url', storageUrl: `${ORIGIN}/v1/AUTH_a`}},
      {isBare: true},
    )
    expect((await failureOf(tokenless.store.head(at('c', 'k'), newCall()), 'auth')).suggestion).to.contain(
      'OS_AUTH_TOKEN',
    )
  })

  it('is not lost for others when the one who began leaves', async () => {
    let open = (): void => {}
    const held = new Promise<void>(resolve => (open = resolve))
    answer(async ({path}) => {
      if (path !== '/auth/v1.0') return [204, '']
      await held
      return [200, '', {'x-storage-url': `${ORIGIN}/v1/AUTH_a`, 'x-auth-token': 't'}]
    }, ORIGIN)
    const {store, requests} = await openBare()
    const controller = new AbortController()
    const first = store.head(at('c', '1'), {signal: controller.signal})
    const second = store.head(at('c', '2'), newCall())
    const reason = new Error('told to stop')
    controller.abort(reason)
    expect(await first.catch((error: unknown) => error)).to.equal(reason)
    open()
    expect((await second).target.key).to.equal('2')
    expect(requests.filter(({path}) => path === '/auth/v1.0')).to.have.length(1)
  })

  it('can be tried for again after everybody left', async () => {
    let count = 0
    let arrive = (): void => {}
    const arrived = new Promise<void>(resolve => (arrive = resolve))
    answer(async ({path}) => {
      if (path !== '/auth/v1.0') return [204, '']
      if (++count === 1) {
        arrive()
        await new Promise(() => {})
      }
      return [200, '', {'x-storage-url': `${ORIGIN}/v1/AUTH_a`, 'x-auth-token': 't'}]
    }, ORIGIN)
    const {store} = await openBare()
    const controller = new AbortController()
    const first = store.head(at('c', '1'), {signal: controller.signal})
    first.catch(() => {})
    await arrived
    controller.abort(new Error('told to stop'))
    await first.catch(() => {})
    await store.head(at('c', '2'), newCall())
  })
})

describe('OS_* on a real Keystone', function () {
  this.timeout(120_000)

  it('sign in by token, by application credential with name and user, and by another interface', async function () {
    needSwift(this, {withKeystone: true})
    const {env} = await startSwift({withKeystone: true})
    const access = await signInKeystone(env)
    await makeContainer(access, 'signed-in')
    const base = {OS_AUTH_URL: env['OS_AUTH_URL'] ?? ''}
    const ways: Record<string, string>[] = [
      {...base, OS_TOKEN: access.token, OS_PROJECT_NAME: 'demo'},
      {
        ...base,
        OS_APPLICATION_CREDENTIAL_NAME: 'aio',
        OS_APPLICATION_CREDENTIAL_SECRET: env['OS_APPLICATION_CREDENTIAL_SECRET'] ?? '',
        OS_USERNAME: env['OS_USERNAME'] ?? '',
      },
      {OS_STORAGE_URL: access.storageUrl, OS_AUTH_TOKEN: access.token},
      {
        ...base,
        OS_USERNAME: env['OS_USERNAME'] ?? '',
        OS_PASSWORD: env['OS_PASSWORD'] ?? '',
        OS_PROJECT_ID: env['OS_PROJECT_ID'] ?? '',
        OS_REGION_NAME: 'RegionOne',
        OS_INTERFACE: 'internal',
      },
    ]
    for (const each of ways) {
      const {store, requests, close} = await openSwift({}, {env: each, isBare: true})
      expect((await store.showContainer(at('signed-in'), newCall())).name).to.equal('signed-in')
      // The container, /info, and the sign-in where there is one.
      expect(requests).to.have.length('OS_STORAGE_URL' in each ? 2 : 3)
      close()
    }
    const {store, close} = await openSwift({region: 'Mars'}, {env: ways[0] ?? {}, isBare: true})
    expect((await failureOf(store.showContainer(at('signed-in'), newCall()), 'config')).suggestion).to.contain(
      'RegionOne',
    )
    close()
  })
})
