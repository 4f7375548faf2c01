import {Failure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {SwiftAuth, SwiftInterface, SwiftRemote} from '../remote.ts'
import type {Surroundings} from '../surroundings.ts'
import type {CatalogWish} from './catalog.ts'
import {readCloud} from './cloud-auth.ts'
import type {CloudAccess} from './cloud-auth.ts'
import {findCloud} from './clouds.ts'
import type {CloudFolders} from './clouds.ts'
import {authUrlOf, keystoneAuth} from './keystone-auth.ts'
import type {CloudTrust} from './trust.ts'

/** How an account is reached. */
export interface FoundAuth extends CatalogWish, CloudTrust {
  readonly auth: SwiftAuth
  readonly storageUrl?: string
}

type Env = Surroundings['env']

const RACKSPACE = 'https://identity.api.rackspacecloud.com/v2.0'

/**
 * Finds how to sign in; the first that says enough wins: the remote's own, its cloud, OS_STORAGE_URL with OS_AUTH_TOKEN,
 * OS_CLOUD, OS_AUTH_URL, ST_AUTH, RACKSPACE_USERNAME, the only cloud of clouds.yaml. Fails `config`.
 */
export async function findAuth(
  remote: SwiftRemote,
  surroundings: Surroundings,
  folders?: CloudFolders,
): Promise<FoundAuth> {
  const {env} = surroundings
  const fromEnv = remote.cloud === undefined && remote.auth === undefined ? readTokenEnv(env) : undefined
  const given = remote.auth ?? fromEnv
  if (given !== undefined) return withWishes(remote, {}, env, given)
  const name = remote.cloud ?? (env['OS_CLOUD'] || undefined)
  const auth = name === undefined ? readEnv(env) : undefined
  if (auth !== undefined) return withWishes(remote, {}, env, auth)
  const cloud = await findCloud(name, surroundings, folders)
  if (cloud === undefined) throw nothingFound(env)
  const found = readCloud(cloud)
  return withWishes(remote, found, env, found.auth)
}

function withWishes(remote: SwiftRemote, cloud: Partial<CloudAccess>, env: Env, auth: SwiftAuth): FoundAuth {
  // A saved remote has nothing to do with what the environment says of another account.
  const around: Env = remote.auth === undefined ? env : {}
  const ofRackspace = auth.method === 'api-key' ? around['RACKSPACE_REGION'] : undefined
  const region = remote.region ?? (around['OS_REGION_NAME'] || ofRackspace || cloud.region)
  const wanted = remote.interface ?? (around['OS_INTERFACE'] || around['OS_ENDPOINT_TYPE'] || cloud.interface)
  const ofEnv = auth.method === 'storage-url' ? undefined : around['OS_STORAGE_URL'] || undefined
  const storageUrl = remote.storageUrl ?? ofEnv ?? cloud.storageUrl
  const caFile = around['OS_CACERT'] || cloud.caFile
  return {
    auth,
    ...(region ? {region} : {}),
    ...(wanted ? {interface: readInterface(wanted)} : {}),
    ...(storageUrl === undefined ? {} : {storageUrl: checkStorageUrl(storageUrl)}),
    ...(caFile === undefined ? {} : {caFile}),
    ...(cloud.isUnverified === true ? {isUnverified: true} : {}),
  }
}

function readTokenEnv({OS_STORAGE_URL: storageUrl, OS_AUTH_TOKEN: token}: Env): SwiftAuth | undefined {
  return storageUrl && token ? {method: 'storage-url', storageUrl: checkStorageUrl(storageUrl), token} : undefined
}

function readEnv(env: Env): SwiftAuth | undefined {
  const find = (name: string): string | undefined =>
    env[`OS_${name.toUpperCase()}`] || (name === 'token' ? env['OS_AUTH_TOKEN'] : undefined) || undefined
  const given = env['OS_AUTH_URL'] || undefined
  if (given !== undefined) {
    const version = env['OS_IDENTITY_API_VERSION'] || env['OS_AUTH_VERSION']
    const found = keystoneAuth({
      authUrl: authUrlOf(given, version),
      type: env['OS_AUTH_TYPE'] || undefined,
      version,
      find,
    })
    if (found !== undefined) return found
  }
  const {ST_AUTH: authUrl, ST_USER: user, ST_KEY: key} = env
  if (authUrl && user && key) return {method: 'v1', authUrl, user, key}
  const {RACKSPACE_USERNAME: username, RACKSPACE_API_KEY: apiKey} = env
  if (username && apiKey)
    return {method: 'api-key', authUrl: authUrlOf(env['OS_AUTH_URL'] || RACKSPACE, '2'), username, apiKey}
  const storageUrl = env['OS_STORAGE_URL']
  return storageUrl ? {method: 'storage-url', storageUrl: checkStorageUrl(storageUrl)} : undefined
}

function readInterface(text: string): SwiftInterface {
  const word = text.replace(/URL$/u, '')
  if (word === 'public' || word === 'internal' || word === 'admin') return word
  throw new Failure('config', `"${printable(text)}" is no interface.`, {suggestion: 'Take public, internal or admin.'})
}

function checkStorageUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/u.test(new URL(url).protocol)) return url
  throw new Failure('config', 'The storage URL is not an http or https URL.', {
    suggestion: 'Write it as https://swift.example.com/v1/AUTH_account.',
  })
}

function nothingFound(env: Env): Failure {
  const half = ['OS_AUTH_URL', 'ST_AUTH', 'RACKSPACE_USERNAME'].find(name => env[name])
  const message =
    half === undefined ? 'Nothing says how to sign in to Swift.' : `${half} is set, but not all that signing in needs.`
  return new Failure('config', message, {
    suggestion:
      'Set OS_CLOUD (with clouds.yaml), or OS_AUTH_URL with OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME or with OS_APPLICATION_CREDENTIAL_ID and _SECRET, or ST_AUTH, ST_USER and ST_KEY, or RACKSPACE_USERNAME and RACKSPACE_API_KEY.',
  })
}
