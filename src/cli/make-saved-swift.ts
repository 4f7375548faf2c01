import type {SwiftInterface} from '../stores/remote.ts'
import type {Preset} from './presets.ts'
import {checkAddress, checkVariable, checkWord, demandSecret, demandWord} from './remote-answers.ts'
import type {RemoteFlags} from './remote-flags.ts'
import type {SavedAuth, SavedSwift} from './saved-remote.ts'

/** Makes a remote that speaks Swift. Fails `usage`. */
export async function makeSavedSwift(flags: RemoteFlags, preset: Preset | undefined): Promise<SavedSwift> {
  const {'os-cloud': cloud, interface: wished, 'storage-url': storageUrl, 'segment-container': segments} = flags
  const keyEnv = flags['temp-url-key-env']
  const region =
    preset?.needs.includes('region') === true
      ? await demandWord(flags, 'region', `Region, such as ${preset.regionsLike ?? 'RegionOne'}:`)
      : flags.region
  return {
    provider: 'swift',
    ...(cloud === undefined ? await askSignIn(flags, preset) : {cloud: checkWord('os-cloud', cloud)}),
    ...(region === undefined ? {} : {region}),
    ...(wished === undefined ? {} : {interface: wished as SwiftInterface}),
    ...(storageUrl === undefined ? {} : {storageUrl: checkAddress('storage-url', storageUrl)}),
    ...(segments === undefined ? {} : {segmentContainer: segments}),
    ...(keyEnv === undefined ? {} : {tempUrlKeyEnv: checkVariable('temp-url-key-env', keyEnv)}),
  }
}

const SECRETS: Readonly<Record<SavedAuth['method'], string>> = {
  v1: 'Key:',
  'v2-password': 'Password:',
  'v3-password': 'Password:',
  'api-key': 'API key:',
  'application-credential': 'Secret of the application credential:',
}

async function askSignIn(flags: RemoteFlags, preset: Preset | undefined): Promise<Pick<SavedSwift, 'auth' | 'secret'>> {
  const given = flags['auth-url'] ?? preset?.authUrl
  const authUrl = checkAddress('auth-url', given ?? (await demandWord(flags, 'auth-url', 'Address to sign in at:')))
  const method = findMethod(flags, authUrl, preset)
  const words = await askWho(flags, method)
  return {
    auth: {method, authUrl: withVersion(authUrl, method), ...words},
    secret: await demandSecret(flags, SECRETS[method]),
  }
}

function findMethod(flags: RemoteFlags, authUrl: string, preset: Preset | undefined): SavedAuth['method'] {
  if (flags['auth-method'] !== undefined) return flags['auth-method'] as SavedAuth['method']
  if (flags['application-credential-id'] !== undefined) return 'application-credential'
  if (/\/auth(?:\/v1(?:\.0)?)?$/u.test(authUrl)) return 'v1'
  return preset?.authMethod ?? (authUrl.endsWith('/v2.0') ? 'v2-password' : 'v3-password')
}

async function askWho(flags: RemoteFlags, method: SavedAuth['method']): Promise<Omit<SavedAuth, 'method' | 'authUrl'>> {
  if (method === 'application-credential') {
    return {credentialId: await demandWord(flags, 'application-credential-id', 'ID of the application credential:')}
  }
  const user = await demandWord(flags, 'user', method === 'v1' ? 'ACCOUNT:USER:' : 'User name:')
  if (method === 'v1' || method === 'api-key') return {user}
  const {'project-id': projectId, 'user-domain': userDomain, 'project-domain': projectDomain} = flags
  const project = projectId === undefined ? await demandWord(flags, 'project', 'Name of the project:') : flags.project
  return {
    user,
    ...(project === undefined ? {} : {project}),
    ...(projectId === undefined ? {} : {projectId}),
    ...(userDomain === undefined ? {} : {userDomain}),
    ...(projectDomain === undefined ? {} : {projectDomain}),
  }
}

/** Keystone's address without a version is a page that lists them. */
function withVersion(authUrl: string, method: SavedAuth['method']): string {
  if (method === 'v1' || /\/v(?:2\.0|3)$/u.test(authUrl)) return authUrl
  return `${authUrl}/${method === 'v2-password' || method === 'api-key' ? 'v2.0' : 'v3'}`
}
