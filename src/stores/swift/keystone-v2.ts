import type {Wire} from '../../http/send.ts'
import {Failure} from '../../core/failure.ts'
import {trimEndSlashes} from '../../core/slashes.ts'
import type {SwiftAuth} from '../remote.ts'
import type {Access} from './access.ts'
import {endOf} from './access.ts'
import {askIdentity, readDocument} from './ask-identity.ts'
import {findStorageUrl} from './catalog.ts'
import type {CatalogEndpoint, CatalogWish} from './catalog.ts'
import {recordOf, recordsOf, textOf} from './json-values.ts'

/** Signs in to Keystone v2, with a password or as Rackspace has it with an API key: one request. */
export async function signInV2(
  wire: Wire,
  auth: SwiftAuth & {method: 'v2-password' | 'api-key'},
  wish: CatalogWish,
  signal: AbortSignal,
): Promise<Access> {
  const url = `${trimEndSlashes(auth.authUrl)}/tokens`
  const secrets = [auth.method === 'api-key' ? auth.apiKey : auth.password]
  const answer = await askIdentity(wire, {method: 'POST', url, document: {auth: describe(auth)}, secrets}, signal)
  const access = recordOf(recordOf(readDocument(answer, url))['access'])
  const [given, user] = [recordOf(access['token']), recordOf(access['user'])]
  const token = textOf(given['id'])
  if (token === undefined) throw new Failure('config', `${new URL(url).host} gave no token.`)
  const region = wish.region ?? textOf(user['RAX-AUTH:defaultRegion'])
  const storageUrl = findStorageUrl(readCatalog(access['serviceCatalog']), {...wish, ...(region ? {region} : {})})
  const who = textOf(user['name'])
  return {storageUrl, token, ...endOf(textOf(given['expires'])), ...(who === undefined ? {} : {who})}
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

function readCatalog(catalog: unknown): CatalogEndpoint[] {
  return recordsOf(catalog).flatMap(({type, name, endpoints}) =>
    recordsOf(endpoints).flatMap(each =>
      (['public', 'internal', 'admin'] as const).flatMap(kind => {
        const url = textOf(each[`${kind}URL`])
        const service = {type: textOf(type) ?? '', name: textOf(name) ?? ''}
        return url === undefined ? [] : [{...service, interface: kind, region: textOf(each['region']) ?? '', url}]
      }),
    ),
  )
}
