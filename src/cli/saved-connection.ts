import {Failure} from '../core/failure.ts'
import type {Remote, S3Keys, S3Remote, SwiftAuth, SwiftInterface, SwiftRemote} from '../stores/remote.ts'
import {runCredentialProcess} from './credential-process.ts'
import type {ConnectionFlags} from './flags.ts'
import type {SavedAuth, SavedRemote, SavedS3, SavedSwift, SecretSource} from './saved-remote.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** Makes the connection of a saved remote; flags win over what it says. Fails `config`, and `auth` for its command. */
export async function connectSaved(
  name: string,
  saved: SavedRemote,
  flags: ConnectionFlags,
  env: Env,
): Promise<Remote> {
  return saved.provider === 's3' ? connectS3(name, saved, flags, env) : connectSwift(name, saved, flags, env)
}

function connectS3(name: string, saved: SavedS3, flags: ConnectionFlags, env: Env): S3Remote {
  const endpointUrl = flags['endpoint-url'] ?? saved.endpointUrl
  const region = flags.region ?? saved.region
  const profile = flags.profile ?? saved.profile
  const keys = flags.profile === undefined ? findKeys(name, saved, env) : undefined
  return {
    provider: 's3',
    name,
    ...(endpointUrl === undefined ? {} : {endpointUrl}),
    ...(region === undefined ? {} : {region}),
    ...(profile === undefined ? {} : {profile}),
    ...(keys === undefined ? {} : {keys}),
  }
}

function findKeys(name: string, {accessKeyId, secret}: SavedS3, env: Env): S3Remote['keys'] {
  if (secret === undefined) return undefined
  if ('command' in secret) return async () => fetchKeys(name, accessKeyId, secret.command)
  return {accessKeyId: accessKeyId ?? missing(name, 'accessKeyId'), secretAccessKey: readSecret(name, secret, env)}
}

async function fetchKeys(name: string, saved: string | undefined, command: string): Promise<S3Keys> {
  const {secret, accessKeyId, sessionToken, expiration} = await runCredentialProcess(command, name)
  return {
    accessKeyId: accessKeyId ?? saved ?? missing(name, 'accessKeyId'),
    secretAccessKey: secret,
    ...(sessionToken === undefined ? {} : {sessionToken}),
    ...(expiration === undefined ? {} : {expiration}),
  }
}

async function connectSwift(name: string, saved: SavedSwift, flags: ConnectionFlags, env: Env): Promise<SwiftRemote> {
  const cloud = flags['os-cloud'] ?? saved.cloud
  const auth = cloud === undefined ? await findSavedAuth(name, saved, env) : undefined
  const region = flags.region ?? saved.region
  const wished = (flags.interface as SwiftInterface | undefined) ?? saved.interface
  const segmentContainer = flags['segment-container'] ?? saved.segmentContainer
  // Only links are signed with it: where it is not set, everything else works.
  const tempUrlKey = (saved.tempUrlKeyEnv !== undefined && env[saved.tempUrlKeyEnv]) || undefined
  return {
    provider: 'swift',
    name,
    ...(cloud === undefined ? {} : {cloud}),
    ...(auth === undefined ? {} : {auth}),
    ...(region === undefined ? {} : {region}),
    ...(wished === undefined ? {} : {interface: wished}),
    ...(saved.storageUrl === undefined ? {} : {storageUrl: saved.storageUrl}),
    ...(segmentContainer === undefined ? {} : {segmentContainer}),
    ...(tempUrlKey === undefined ? {} : {tempUrlKey}),
  }
}

async function findSavedAuth(name: string, {auth, secret}: SavedSwift, env: Env): Promise<SwiftAuth> {
  if (auth === undefined) return missing(name, 'auth')
  if (secret === undefined) return missing(name, 'secret')
  const word =
    'command' in secret ? (await runCredentialProcess(secret.command, name)).secret : readSecret(name, secret, env)
  return makeAuth(name, auth, word)
}

/** Puts the secret into a sign-in. Fails `config` where a word is missing that the method needs. */
function makeAuth(name: string, saved: SavedAuth, secret: string): SwiftAuth {
  const {method, authUrl, user, userDomain, project, projectId, projectDomain, credentialId} = saved
  const needed = (word: 'user'): string => user ?? missing(name, `auth.${word}`)
  const place = {
    ...(projectId === undefined ? {} : {projectId}),
    ...(project === undefined ? {} : {projectName: project}),
  }
  const userWords = {
    ...(user === undefined ? {} : {username: user}),
    ...(userDomain === undefined ? {} : {userDomainName: userDomain}),
  }
  switch (method) {
    case 'v1': {
      return {method, authUrl, user: needed('user'), key: secret}
    }
    case 'v2-password': {
      return {method, authUrl, username: needed('user'), password: secret, ...place}
    }
    case 'api-key': {
      return {method, authUrl, username: needed('user'), apiKey: secret}
    }
    case 'application-credential': {
      return {method, authUrl, secret, id: credentialId ?? missing(name, 'auth.credentialId')}
    }
    default: {
      needed('user')
      const domain = projectDomain === undefined ? {} : {projectDomainName: projectDomain}
      return {method, authUrl, password: secret, ...userWords, ...place, ...domain}
    }
  }
}

function readSecret(name: string, secret: Exclude<SecretSource, {command: string}>, env: Env): string {
  if ('value' in secret) return secret.value
  const found = env[secret.env]
  if (found) return found
  throw new Failure('config', `The remote "${name}" takes its secret from ${secret.env}, which is not set.`, {
    suggestion: `Set ${secret.env} in the environment, or save the secret anew with: skylift remote add ${name} --replace`,
  })
}

function missing(name: string, word: string): never {
  throw new Failure('config', `The saved remote "${name}" cannot be used: ${word} is missing.`, {
    suggestion: `Save it anew with: skylift remote add ${name} --replace`,
  })
}
