import {Failure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {SwiftAuth} from '../remote.ts'
import type {Cloud} from './clouds.ts'
import {sectionOf, textOf} from './clouds.ts'
import {authUrlOf, keystoneAuth} from './keystone-auth.ts'
import type {KeystoneWords} from './keystone-auth.ts'
import type {CloudTrust} from './trust.ts'

/** How a cloud of clouds.yaml is signed in to, and what it says of region, interface and certificates. */
export interface CloudAccess extends CloudTrust {
  readonly auth: SwiftAuth
  readonly region?: string
  readonly interface?: string
  /** Instead of the catalog's. */
  readonly storageUrl?: string
}

/** Reads a cloud's settings. Fails `config` where they do not suffice. */
export function readCloud({name, settings}: Cloud): CloudAccess {
  const auth = sectionOf(settings['auth'])
  // The SDK takes both spellings, inside `auth` and beside it.
  const find = (key: string): string | undefined =>
    [key, key.replaceAll('_', '-')].map(each => textOf(auth[each]) ?? textOf(settings[each])).find(Boolean)
  const words: KeystoneWords = {
    authUrl: find('auth_url'),
    type: textOf(settings['auth_type']),
    version: find('identity_api_version'),
    find,
  }
  const regions = settings['regions']
  const first: unknown = Array.isArray(regions) ? regions[0] : undefined
  const region = find('region_name') ?? textOf(first) ?? textOf(sectionOf(first)['name'])
  const chosen = find('interface') ?? find('endpoint_type')
  const storageUrl = find('object_store_endpoint_override')
  const caFile = textOf(settings['cacert'])
  return {
    auth: readAuth(name, words),
    ...(region === undefined ? {} : {region}),
    ...(chosen === undefined ? {} : {interface: chosen}),
    ...(storageUrl === undefined ? {} : {storageUrl}),
    ...(caFile === undefined ? {} : {caFile}),
    ...(isNo(textOf(settings['verify'])) || isYes(textOf(settings['insecure'])) ? {isUnverified: true} : {}),
  }
}

// The words of YAML 1.1, which PyYAML takes.
const isYes = (word: string | undefined): boolean => /^(?:true|yes|on)$/iu.test(word ?? '')
const isNo = (word: string | undefined): boolean => /^(?:false|no|off)$/iu.test(word ?? '')

function readAuth(name: string, words: KeystoneWords): SwiftAuth {
  const {find, type} = words
  const [authUrl, user, key] = [words.authUrl, find('username') ?? find('user'), find('password') ?? find('key')]
  if (type === 'v1password' && authUrl !== undefined && user !== undefined && key !== undefined) {
    return {method: 'v1', authUrl, user, key}
  }
  const auth = authUrl === undefined ? undefined : keystoneAuth({...words, authUrl: authUrlOf(authUrl, words.version)})
  if (auth !== undefined) return auth
  throw new Failure('config', `The cloud "${printable(name)}" of clouds.yaml does not say enough to sign in.`, {
    suggestion:
      'Under "auth" it needs auth_url and a password, a token, or an application credential. What stands in a profile must be in clouds-public.yaml.',
  })
}
