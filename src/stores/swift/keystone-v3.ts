import type {Wire} from '../../http/send.ts'
import {Failure} from '../../core/failure.ts'
import {trimEndSlashes} from '../../core/slashes.ts'
import type {SwiftAuth, SwiftProject, SwiftUser} from '../remote.ts'
import type {Access} from './access.ts'
import {endOf} from './access.ts'
import {askIdentity, readDocument} from './ask-identity.ts'
import {findStorageUrl} from './catalog.ts'
import type {CatalogWish} from './catalog.ts'
import {recordOf, recordsOf, textOf} from './json-values.ts'

export type V3Auth = SwiftAuth & {method: 'v3-password' | 'v3-token' | 'application-credential'}

// https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management
/** Signs in to Keystone v3: one request. */
export async function signInV3(wire: Wire, auth: V3Auth, wish: CatalogWish, signal: AbortSignal): Promise<Access> {
  const url = `${trimEndSlashes(auth.authUrl)}/auth/tokens`
  const secrets = [secretOf(auth)]
  const answer = await askIdentity(wire, {method: 'POST', url, document: {auth: describe(auth)}, secrets}, signal)
  const token = answer.headers['x-subject-token']
  if (typeof token !== 'string') throw new Failure('config', `${new URL(url).host} gave no token.`)
  const given = recordOf(recordOf(readDocument(answer, url))['token'])
  if (given['catalog'] === undefined && wish.storageUrl === undefined) {
    throw new Failure('config', 'The sign-in has no project, and so no object store.', {
      suggestion: 'Name the project: OS_PROJECT_NAME or OS_PROJECT_ID, or in clouds.yaml.',
    })
  }
  const catalog = recordsOf(given['catalog']).flatMap(({type, name, endpoints}) =>
    recordsOf(endpoints).map(each => ({
      type: textOf(type) ?? '',
      name: textOf(name) ?? '',
      interface: textOf(each['interface']) ?? '',
      region: textOf(each['region_id']) ?? textOf(each['region']) ?? '',
      url: textOf(each['url']) ?? '',
    })),
  )
  return {storageUrl: findStorageUrl(catalog, wish), token, ...endOf(textOf(given['expires_at'])), ...whoOf(given)}
}

function whoOf(given: Readonly<Record<string, unknown>>): {who?: string} {
  const [user, project] = [given['user'], given['project']].map(each => textOf(recordOf(each)['name']))
  if (user === undefined) return {}
  return {who: project === undefined ? user : `${user} in the project ${project}`}
}

function secretOf(auth: V3Auth): string {
  if (auth.method === 'v3-password') return auth.password
  return auth.method === 'v3-token' ? auth.token : auth.secret
}

function describe(auth: V3Auth) {
  if (auth.method === 'v3-password') {
    const {password} = auth
    return {identity: {methods: ['password'], password: {user: {...userOf(auth), password}}}, ...scopeOf(auth)}
  }
  if (auth.method === 'v3-token') {
    return {identity: {methods: ['token'], token: {id: auth.token}}, ...scopeOf(auth)}
  }
  const {id, credentialName: name, secret} = auth
  // Keystone refuses a scope here: the credential has its own.
  const credential = id !== undefined ? {id, secret} : {name, secret, user: userOf(auth)}
  return {identity: {methods: ['application_credential'], application_credential: credential}}
}

function userOf({userId, username, userDomainId, userDomainName}: SwiftUser) {
  return userId !== undefined ? {id: userId} : {name: username, domain: domainOf(userDomainId, userDomainName)}
}

function scopeOf({projectId, projectName, projectDomainId, projectDomainName}: SwiftProject) {
  if (projectId !== undefined) return {scope: {project: {id: projectId}}}
  if (projectName === undefined) return {}
  return {scope: {project: {name: projectName, domain: domainOf(projectDomainId, projectDomainName)}}}
}

function domainOf(id: string | undefined, name: string | undefined) {
  return id === undefined && name !== undefined ? {name} : {id: id ?? 'default'}
}
