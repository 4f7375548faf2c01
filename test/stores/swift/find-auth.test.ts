import {mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {expect} from 'chai'
import type {SwiftRemote} from '../../../src/stores/remote.ts'
import {findAuth} from '../../../src/stores/swift/find-auth.ts'
import type {FoundAuth} from '../../../src/stores/swift/find-auth.ts'
import {failureOf} from '../contract/bench.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'

type Env = Readonly<Record<string, string>>

const STORAGE: Env = {OS_STORAGE_URL: 'https://s.example/v1/AUTH_x', OS_AUTH_TOKEN: 'tok'}
const KEYSTONE: Env = {
  OS_AUTH_URL: 'https://k.example:5000',
  OS_USERNAME: 'me',
  OS_PASSWORD: 'pw',
  OS_PROJECT_NAME: 'p',
  OS_PROJECT_DOMAIN_NAME: 'D',
}
const ST: Env = {ST_AUTH: 'https://v1.example/auth/v1.0', ST_USER: 'a:u', ST_KEY: 'k'}
const RACKSPACE: Env = {RACKSPACE_USERNAME: 'rax', RACKSPACE_API_KEY: 'api', RACKSPACE_REGION: 'ORD'}

/** Folders for clouds.yaml where this machine has nothing. */
async function makeFolders(files: Readonly<Record<string, string>> = {}) {
  const root = await makeTempFolder()
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), {recursive: true})
    await writeFile(join(root, path), text)
  }
  const folders = {current: join(root, 'here'), system: join(root, 'etc')}
  const find = (env: Env, remote: Partial<SwiftRemote> = {}): Promise<FoundAuth> =>
    findAuth({provider: 'swift', name: 'swift', ...remote}, {env, home: join(root, 'home')}, folders)
  return {root, find}
}

const cloud = (url: string, more = ''): string =>
  `{auth: {auth_url: ${url}, username: u, password: p, project_id: 42}${more}}`
const file = (...clouds: string[]): string => `clouds:\n${clouds.map(each => `  ${each}\n`).join('')}`
const urlOf = ({auth}: FoundAuth): string => ('authUrl' in auth ? auth.authUrl : auth.storageUrl)

describe('how Swift is signed in to', () => {
  const order: [string, Env, string][] = [
    ['a storage URL with a token', STORAGE, 'https://s.example/v1/AUTH_x'],
    ['OS_CLOUD', {OS_CLOUD: 'named'}, 'https://cloud.example/v3'],
    ['OS_AUTH_URL', KEYSTONE, 'https://k.example:5000/v3'],
    ['ST_AUTH', ST, 'https://v1.example/auth/v1.0'],
    ['RACKSPACE_USERNAME', RACKSPACE, 'https://identity.api.rackspacecloud.com/v2.0'],
    ['a storage URL alone', {OS_STORAGE_URL: 'https://alone.example/v1/a'}, 'https://alone.example/v1/a'],
  ]
  for (const [index, [title, , expected]] of order.entries()) {
    it(`takes ${title} before all that comes after it`, async () => {
      const {find} = await makeFolders({'here/clouds.yaml': file(`named: ${cloud('https://cloud.example')}`)})
      const env: Env = Object.assign(
        {},
        ...order
          .slice(index)
          .map(row => row[1])
          .toReversed(),
      ) as Env
      // A storage URL beside a sign-in only says where the account is.
      expect(urlOf(await find(env))).to.equal(expected)
    })
  }

  it("takes the remote's own before everything, and nothing of the environment with it", async () => {
    const auth = {method: 'v1', authUrl: 'https://own.example', user: 'u', key: 'k'} as const
    const {find} = await makeFolders()
    expect(await find({...STORAGE, ...KEYSTONE, OS_REGION_NAME: 'R', OS_INTERFACE: 'admin'}, {auth})).to.deep.equal({
      auth,
    })
    expect(
      await find({}, {auth, region: 'X', interface: 'internal', storageUrl: 'https://o.example/v1/a'}),
    ).to.deep.equal({
      auth,
      region: 'X',
      interface: 'internal',
      storageUrl: 'https://o.example/v1/a',
    })
  })

  it('takes the cloud that was named before a token of the environment', async () => {
    const {find} = await makeFolders({
      'here/clouds.yaml': file(`a: ${cloud('https://a.example')}`, `b: ${cloud('https://b.example')}`),
    })
    expect(urlOf(await find({...STORAGE, OS_CLOUD: 'a'}, {cloud: 'b'}))).to.equal('https://b.example/v3')
  })

  const readings: [string, Env, FoundAuth][] = [
    [
      'a password, with domains by name',
      {...KEYSTONE, OS_USER_DOMAIN_NAME: 'U', OS_REGION_NAME: 'One', OS_INTERFACE: 'internalURL'},
      {
        auth: {
          method: 'v3-password',
          authUrl: 'https://k.example:5000/v3',
          password: 'pw',
          username: 'me',
          userDomainName: 'U',
          projectName: 'p',
          projectDomainName: 'D',
        },
        region: 'One',
        interface: 'internal',
      },
    ],
    [
      'a password for v2',
      {...KEYSTONE, OS_AUTH_URL: 'https://k.example/v2.0/'},
      {
        auth: {
          method: 'v2-password',
          authUrl: 'https://k.example/v2.0',
          username: 'me',
          password: 'pw',
          projectName: 'p',
        },
      },
    ],
    [
      'the version by its own name, and the tenant',
      {
        OS_AUTH_URL: 'https://k.example',
        OS_IDENTITY_API_VERSION: '2',
        OS_USERNAME: 'me',
        OS_PASSWORD: 'pw',
        OS_TENANT_ID: 't',
      },
      {
        auth: {
          method: 'v2-password',
          authUrl: 'https://k.example/v2.0',
          username: 'me',
          password: 'pw',
          projectId: 't',
        },
      },
    ],
    [
      'an application credential by its id, before the password beside it',
      {...KEYSTONE, OS_APPLICATION_CREDENTIAL_ID: 'id', OS_APPLICATION_CREDENTIAL_SECRET: 's'},
      {auth: {method: 'application-credential', authUrl: 'https://k.example:5000/v3', secret: 's', id: 'id'}},
    ],
    [
      'an application credential by its name and user',
      {
        OS_AUTH_TYPE: 'v3applicationcredential',
        OS_AUTH_URL: 'https://k.example/v3',
        OS_APPLICATION_CREDENTIAL_NAME: 'n',
        OS_APPLICATION_CREDENTIAL_SECRET: 's',
        OS_USERNAME: 'me',
        OS_USER_DOMAIN_ID: 'd',
      },
      {
        auth: {
          method: 'application-credential',
          authUrl: 'https://k.example/v3',
          secret: 's',
          credentialName: 'n',
          username: 'me',
          userDomainId: 'd',
        },
      },
    ],
    [
      'a token, in both spellings',
      {OS_AUTH_URL: 'https://k.example', OS_TOKEN: 't', OS_PROJECT_ID: 'p'},
      {auth: {method: 'v3-token', authUrl: 'https://k.example/v3', token: 't', projectId: 'p'}},
    ],
    [
      'a sign-in with another place of the account',
      {...ST, OS_STORAGE_URL: 'https://near.example/v1/a'},
      {
        auth: {method: 'v1', authUrl: 'https://v1.example/auth/v1.0', user: 'a:u', key: 'k'},
        storageUrl: 'https://near.example/v1/a',
      },
    ],
    [
      "Rackspace's key, and its region",
      RACKSPACE,
      {
        auth: {
          method: 'api-key',
          authUrl: 'https://identity.api.rackspacecloud.com/v2.0',
          username: 'rax',
          apiKey: 'api',
        },
        region: 'ORD',
      },
    ],
  ]
  for (const [title, env, expected] of readings) {
    it(`reads ${title}`, async () => {
      expect(await (await makeFolders()).find(env)).to.deep.equal(expected)
    })
  }

  const wrong: [string, Env, RegExp][] = [
    ['nothing at all', {}, /Nothing says/u],
    ['half of a sign-in', {ST_AUTH: 'https://a.example', ST_USER: 'u'}, /ST_AUTH is set/u],
    ['a way that is not ours', {...KEYSTONE, OS_AUTH_TYPE: 'v3kerberos'}, /v3kerberos/u],
    ['an interface that is none', {...KEYSTONE, OS_INTERFACE: 'outside'}, /outside/u],
    ['a storage URL that is none', {OS_STORAGE_URL: 'ftp://x', OS_AUTH_TOKEN: 't'}, /storage URL/u],
    ['a cloud without a file', {OS_CLOUD: 'x'}, /no cloud "x"/u],
  ]
  for (const [title, env, message] of wrong) {
    it(`fails config on ${title}`, async () => {
      const failure = await failureOf((await makeFolders()).find(env), 'config')
      expect(failure.message).to.match(message)
    })
  }
})

describe('clouds.yaml', () => {
  const at = (name: string): string => file(`c: ${cloud(`https://${name}.example`)}`)
  const places: [string, string][] = [
    ['here/clouds.yaml', 'here'],
    ['here/clouds.yml', 'here-yml'],
    ['home/.config/openstack/clouds.yaml', 'home'],
    ['etc/clouds.yaml', 'system'],
    ['etc/clouds.json', 'system-json'],
  ]

  for (const [index, [path, name]] of places.entries()) {
    it(`is found at ${path} before all that comes after it`, async () => {
      const {find} = await makeFolders(Object.fromEntries(places.slice(index).map(([each, of]) => [each, at(of)])))
      expect(urlOf(await find({OS_CLOUD: 'c'}))).to.equal(`https://${name}.example/v3`)
    })
    if (index === 0) {
      it(`is found where OS_CLIENT_CONFIG_FILE says before ${path}`, async () => {
        const {find, root} = await makeFolders({'other.yaml': at('given'), [path]: at(name)})
        const env = {OS_CLOUD: 'c', OS_CLIENT_CONFIG_FILE: join(root, 'other.yaml')}
        expect(urlOf(await find(env))).to.equal('https://given.example/v3')
      })
    }
  }

  it('is found by XDG_CONFIG_HOME', async () => {
    const {find, root} = await makeFolders({'xdg/openstack/clouds.yaml': at('xdg'), 'etc/clouds.yaml': at('system')})
    expect(urlOf(await find({OS_CLOUD: 'c', XDG_CONFIG_HOME: join(root, 'xdg')}))).to.equal('https://xdg.example/v3')
  })

  it('needs no name where it has one cloud, and does where it has two', async () => {
    const one = await makeFolders({'here/clouds.yaml': at('only')})
    expect(urlOf(await one.find({}))).to.equal('https://only.example/v3')
    const two = await makeFolders({
      'here/clouds.yaml': file(`a: ${cloud('https://a.example')}`, `b: ${cloud('https://b.example')}`),
    })
    await failureOf(two.find({}), 'config')
    const failure = await failureOf(two.find({OS_CLOUD: 'c'}), 'config')
    expect(failure.message).to.contain('a, b')
  })

  it('takes secrets from secure.yaml and the rest from a profile of clouds-public.yaml; its own words win', async () => {
    const {find} = await makeFolders({
      'here/clouds.yaml': `clouds:
  mine:
    profile: vendor
    auth: {username: u, project_name: '007'}
    region_name: Two
`,
      'home/.config/openstack/secure.yaml': 'clouds: {mine: {auth: {password: hidden}}}',
      'etc/clouds-public.yaml': `public-clouds:
  vendor:
    auth: {auth_url: https://vendor.example/v3, user_domain_name: V, username: nobody}
    regions: [One, Two]
    interface: internal
`,
    })
    expect(await find({OS_CLOUD: 'mine'})).to.deep.equal({
      auth: {
        method: 'v3-password',
        authUrl: 'https://vendor.example/v3',
        password: 'hidden',
        username: 'u',
        userDomainName: 'V',
        projectName: '007',
      },
      region: 'Two',
      interface: 'internal',
    })
  })

  it('gives way to --region and OS_REGION_NAME, and has a first region', async () => {
    const {find} = await makeFolders({
      'here/clouds.yaml': file(
        `c: ${cloud('https://c.example', ', region_name: File')}`,
        `r: ${cloud('https://c.example', ', regions: [{name: First}, Second]')}`,
      ),
    })
    expect((await find({OS_CLOUD: 'c'})).region).to.equal('File')
    expect((await find({OS_CLOUD: 'c', OS_REGION_NAME: 'Env'})).region).to.equal('Env')
    expect((await find({OS_CLOUD: 'c', OS_REGION_NAME: 'Env'}, {region: 'Flag'})).region).to.equal('Flag')
    expect((await find({OS_CLOUD: 'r'})).region).to.equal('First')
  })

  it('knows application credentials, v1, and another place of the account', async () => {
    const {find} = await makeFolders({
      'here/clouds.yaml': `clouds:
  app:
    auth_type: v3applicationcredential
    auth: {auth_url: https://k.example, application_credential_id: 12, application_credential_secret: s}
  old:
    auth_type: v1password
    auth: {auth_url: https://v1.example/auth/v1.0, username: a:u, password: k}
    object_store_endpoint_override: https://o.example/v1/a
  short: {auth: {auth_url: https://k.example}}
`,
    })
    expect((await find({OS_CLOUD: 'app'})).auth).to.deep.equal({
      method: 'application-credential',
      authUrl: 'https://k.example/v3',
      secret: 's',
      id: '12',
    })
    expect(await find({OS_CLOUD: 'old'})).to.deep.equal({
      auth: {method: 'v1', authUrl: 'https://v1.example/auth/v1.0', user: 'a:u', key: 'k'},
      storageUrl: 'https://o.example/v1/a',
    })
    expect((await failureOf(find({OS_CLOUD: 'short'}), 'config')).suggestion).to.contain('auth_url')
  })

  it('takes every value as the text that it is', async () => {
    const {find} = await makeFolders({
      'here/clouds.yaml':
        'clouds: {c: {auth: {auth_url: https://k.example, username: 007, password: 1e5, project_id: 12345678901234567890}, region_name: null}}',
    })
    expect(await find({OS_CLOUD: 'c'})).to.deep.equal({
      auth: {
        method: 'v3-password',
        authUrl: 'https://k.example/v3',
        username: '007',
        password: '1e5',
        projectId: '12345678901234567890',
      },
    })
  })

  it('joins what << names, as PyYAML does; what stands beside it wins', async () => {
    const {find} = await makeFolders({
      'here/clouds.yaml': `clouds:
  base: &base
    auth: {auth_url: https://base.example, username: u, password: p, project_id: a}
    region_name: One
  other:
    <<: *base
    region_name: Two
`,
    })
    const found = await find({OS_CLOUD: 'other'})
    expect(urlOf(found)).to.equal('https://base.example/v3')
    expect(found.region).to.equal('Two')
  })

  const trust: [words: string, env: Env, expected: Partial<FoundAuth>][] = [
    ['', {}, {}],
    [', verify: true, insecure: false', {}, {}],
    [', cacert: /a.pem', {}, {caFile: '/a.pem'}],
    [', cacert: /a.pem', {OS_CACERT: '/b.pem'}, {caFile: '/b.pem'}],
    [', verify: false', {}, {isUnverified: true}],
    [', verify: "False"', {}, {isUnverified: true}],
    [', verify: no', {}, {isUnverified: true}],
    [', verify: yes, insecure: off', {}, {}],
    [', insecure: true', {}, {isUnverified: true}],
  ]
  for (const [words, env, expected] of trust) {
    it(`says which certificates are believed: ${words.slice(2) || 'nothing'} ${JSON.stringify(env)}`, async () => {
      const {find} = await makeFolders({'here/clouds.yaml': file(`c: ${cloud('https://c.example', words)}`)})
      const {caFile, isUnverified} = await find(env, {cloud: 'c'})
      expect({caFile, isUnverified}).to.deep.equal({caFile: undefined, isUnverified: undefined, ...expected})
    })
  }

  it('fails config where it is no YAML, and shows none of its lines', async () => {
    const {find} = await makeFolders({'here/clouds.yaml': 'clouds:\n  c:\n    auth: {password: "s3cr3t\n'})
    const failure = await failureOf(find({OS_CLOUD: 'c'}), 'config')
    expect(failure.message).to.contain('clouds.yaml').and.not.to.contain('s3cr3t')
    expect(JSON.stringify(failure.cause ?? '')).not.to.contain('s3cr3t')
  })
})
