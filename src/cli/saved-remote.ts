import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {SwiftAuth, SwiftInterface} from '../stores/remote.ts'

/** Where a secret comes from: the file itself, a variable of the environment, or an external command. */
export type SecretSource = {readonly value: string} | {readonly env: string} | {readonly command: string}

export interface SavedS3 {
  readonly provider: 's3'
  readonly preset?: string
  /** Absent: AWS itself. */
  readonly endpointUrl?: string
  readonly region?: string
  /** Absent, and no keys: the AWS chain. */
  readonly profile?: string
  readonly accessKeyId?: string
  readonly secret?: SecretSource
}

/** A sign-in without its secret; which words count depends on the method. */
export interface SavedAuth {
  readonly method: Exclude<SwiftAuth['method'], 'v3-token' | 'storage-url'>
  readonly authUrl: string
  readonly user?: string
  readonly userDomain?: string
  readonly project?: string
  readonly projectId?: string
  readonly projectDomain?: string
  readonly credentialId?: string
}

export interface SavedSwift {
  readonly provider: 'swift'
  readonly preset?: string
  /** A cloud of clouds.yaml, which has all that signing in needs. */
  readonly cloud?: string
  readonly auth?: SavedAuth
  readonly secret?: SecretSource
  readonly region?: string
  readonly interface?: SwiftInterface
  readonly storageUrl?: string
  readonly segmentContainer?: string
  /** The variable of the environment that holds the Temp-URL key. */
  readonly tempUrlKeyEnv?: string
}

/** A connection as it stands in the file of the person. */
export type SavedRemote = SavedS3 | SavedSwift

export const AUTH_METHODS: readonly SavedAuth['method'][] = [
  'v3-password',
  'application-credential',
  'v1',
  'v2-password',
  'api-key',
]

const WORDS: Readonly<Record<SavedRemote['provider'], readonly string[]>> = {
  s3: ['preset', 'endpointUrl', 'region', 'profile', 'accessKeyId'],
  swift: ['preset', 'cloud', 'region', 'interface', 'storageUrl', 'segmentContainer', 'tempUrlKeyEnv'],
}
const AUTH_WORDS = ['authUrl', 'user', 'userDomain', 'project', 'projectId', 'projectDomain', 'credentialId']

/** Reads what stands in the file, which a person may have edited. Fails `config`, naming what is wrong. */
export function readSavedRemote(name: string, found: unknown): SavedRemote {
  const refuse = (problem: string): never => {
    throw new Failure('config', `The saved remote "${printable(name)}" cannot be understood: ${problem}.`, {
      suggestion: `Save it anew with: skylift remote add ${printable(name)} --replace`,
    })
  }
  if (!isRecord(found)) return refuse('it is no object')
  const {provider, auth, secret} = found
  if (provider !== 's3' && provider !== 'swift') return refuse('its provider is neither s3 nor swift')
  for (const word of WORDS[provider]) {
    if (found[word] !== undefined && typeof found[word] !== 'string') refuse(`${word} is no text`)
  }
  if (secret !== undefined && !isSecretSource(secret)) refuse('secret has neither value nor env nor command')
  if (auth !== undefined) {
    if (!isRecord(auth)) return refuse('auth is no object')
    if (!AUTH_METHODS.includes(auth['method'] as SavedAuth['method'])) refuse('auth.method is not known')
    if (typeof auth['authUrl'] !== 'string') refuse('auth.authUrl is missing')
    for (const word of AUTH_WORDS) {
      if (auth[word] !== undefined && typeof auth[word] !== 'string') refuse(`auth.${word} is no text`)
    }
  }
  return found as unknown as SavedRemote
}

function isSecretSource(value: unknown): boolean {
  return isRecord(value) && ['value', 'env', 'command'].some(word => typeof value[word] === 'string')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
