import {Failure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import {trimEndSlashes} from '../../core/slashes.ts'
import type {SwiftAuth, SwiftProject, SwiftUser} from '../remote.ts'

/** The words that clouds.yaml and `OS_*` share, by their names in clouds.yaml. */
export interface KeystoneWords {
  readonly authUrl: string | undefined
  readonly type: string | undefined
  readonly version: string | undefined
  readonly find: (name: string) => string | undefined
}

/** What the types of keystoneauth are to us; where none is said, what is there decides. */
const TYPES = new Map([
  ['password', 'password'],
  ['v2password', 'password'],
  ['v3password', 'password'],
  ['token', 'token'],
  ['v3token', 'token'],
  ['v3applicationcredential', 'application-credential'],
])

/** Chooses the way to sign in. Undefined where too little is said. Fails `config` for a way that is not ours. */
export function keystoneAuth(words: KeystoneWords & {readonly authUrl: string}): SwiftAuth | undefined {
  const {authUrl, find, type} = words
  if (type !== undefined && !TYPES.has(type)) {
    throw new Failure('config', `Signing in by "${printable(type)}" is not possible here.`, {
      suggestion: `Possible are ${[...TYPES.keys()].join(', ')}; a token of any other sign-in serves too: OS_TOKEN.`,
    })
  }
  const wanted = type === undefined ? undefined : TYPES.get(type)
  const [secret, password, token] = [find('application_credential_secret'), find('password'), find('token')]
  if (secret !== undefined && (wanted ?? 'application-credential') === 'application-credential') {
    return applicationCredential(authUrl, secret, find)
  }
  if (token !== undefined && (wanted === 'token' || (wanted === undefined && password === undefined))) {
    return {method: 'v3-token', authUrl, token, ...projectOf(find)}
  }
  if (password === undefined || (wanted ?? 'password') !== 'password') return undefined
  const username = find('username')
  if (/\/v2\.0$/u.test(authUrl)) {
    if (username === undefined) return undefined
    const {projectId, projectName} = projectOf(find)
    return {method: 'v2-password', authUrl, username, password, ...optional({projectId, projectName})}
  }
  if (username === undefined && find('user_id') === undefined) return undefined
  return {method: 'v3-password', authUrl, password, ...userOf(find), ...projectOf(find)}
}

function applicationCredential(authUrl: string, secret: string, find: KeystoneWords['find']): SwiftAuth | undefined {
  const [id, credentialName] = [find('application_credential_id'), find('application_credential_name')]
  const at = {method: 'application-credential', authUrl, secret} as const
  if (id !== undefined) return {...at, id}
  const user = userOf(find)
  if (credentialName === undefined || (user.userId === undefined && user.username === undefined)) return undefined
  return {...at, credentialName, ...user}
}

function userOf(find: KeystoneWords['find']): SwiftUser {
  return optional({
    userId: find('user_id'),
    username: find('username'),
    userDomainId: find('user_domain_id') ?? find('domain_id') ?? find('default_domain'),
    userDomainName: find('user_domain_name') ?? find('domain_name'),
  })
}

function projectOf(find: KeystoneWords['find']): SwiftProject {
  return optional({
    projectId: find('project_id') ?? find('tenant_id'),
    projectName: find('project_name') ?? find('tenant_name'),
    projectDomainId: find('project_domain_id') ?? find('default_domain'),
    projectDomainName: find('project_domain_name'),
  })
}

function optional<Words extends Readonly<Record<string, string | undefined>>>(words: Words) {
  return Object.fromEntries(Object.entries(words).filter(([, word]) => word !== undefined)) as {
    [Name in keyof Words]?: string
  }
}

/** Adds the version where the address has none: asking for it would cost a request. */
export function authUrlOf(authUrl: string, version: string | undefined): string {
  const url = trimEndSlashes(authUrl).replace(/\/auth\/tokens$|(?<=\/v2\.0)\/tokens$/u, '')
  if (/\/v(?:2\.0|3)$/u.test(url)) return url
  return `${url}/${/^2/u.test(version ?? '') ? 'v2.0' : 'v3'}`
}
