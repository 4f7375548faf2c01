import type {Wire} from '../../http/send.ts'
import {Failure} from '../../core/failure.ts'
import type {SwiftAuth} from '../remote.ts'
import type {Access} from './access.ts'
import {endOf} from './access.ts'
import {askIdentity, readDocument} from './ask-identity.ts'
import {findStorageUrl} from './catalog.ts'
import type {CatalogEndpoint, CatalogWish} from './catalog.ts'

interface Answered {
  readonly access?: {
    readonly token?: {readonly id?: string; readonly expires?: string}
    readonly user?: {readonly 'RAX-AUTH:defaultRegion'?: string; readonly name?: string}
    readonly serviceCatalog?: readonly {
      readonly type?: string
      readonly name?: string
      readonly endpoints?: readonly Readonly<Record<string, string | undefined>>[]
    }[]
  }
}

/** Signs in to Keystone v2, with a password or as Rackspace has it with an API key: one request. */
export async function signInV2(
  wire: Wire,
  auth: SwiftAuth & {method: 'v2-password' | 'api-key'},
  wish: CatalogWish,
  signal: AbortSignal,
): Promise<Access> {
  const url = `${auth.authUrl.replace(/\/+$/u, '')}/tokens`
  const secrets = [auth.method === 'api-key' ? auth.apiKey : auth.password]
  const answer = await askIdentity(wire, {method: 'POST', url, document: {auth: describe(auth)}, secrets}, signal)
  const {access}: Answered = readDocument(answer, url)
  const token = access?.token?.id
  if (token === undefined) throw new Failure('config', `${new URL(url).host} gave no token.`)
  const region = wish.region ?? access?.user?.['RAX-AUTH:defaultRegion']
  const storageUrl = findStorageUrl(readCatalog(access), {...wish, ...(region ? {region} : {})})
  const who = access?.user?.name
  return {storageUrl, token, ...endOf(access?.token?.expires), ...(who === undefined ? {} : {who})}
}

function describe(auth: SwiftAuth & {method: 'v2-password' | 'api-key'}) {
  if (auth.method === 'api-key') {
    return {'RAX-KSKEY:apiKeyCredentials': {username: auth.username, apiKey: auth.apiKey}}
  }
  const {username, password, projectId, projectName} = auth
  return {
    passwordCredentials: {username, password},
    ...(projectId !== undefined ? {tenantId: projectId} : projectName !== undefined ? {tenantName: projectName} : {}),
  }
}

function readCatalog(access: Answered['access']): CatalogEndpoint[] {
  return (access?.serviceCatalog ?? []).flatMap(({type = '', name = '', endpoints = []}) =>
    endpoints.flatMap(each =>
      (['public', 'internal', 'admin'] as const).flatMap(kind => {
        const url = each[`${kind}URL`]
        return url === undefined ? [] : [{type, name, interface: kind, region: each['region'] ?? '', url}]
      }),
    ),
  )
}
