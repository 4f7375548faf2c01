import type {Wire} from '../../http/send.ts'
import type {SwiftRemote} from '../remote.ts'
import type {KeyStore, Store} from '../store.ts'
import type {Surroundings} from '../surroundings.ts'
import {createConnection} from './client.ts'
import type {SwiftConnection} from './client.ts'
import {createContainers} from './container.ts'
import {findAuth} from './find-auth.ts'
import {createLinks} from './links.ts'
import {createObjects} from './objects.ts'
import {createSignIn, nameAccount} from './sign-in.ts'
import {createKeys} from './temp-url-keys.ts'
import {createUpload} from './upload.ts'

export interface SwiftNeeds {
  readonly wire: Wire
  readonly surroundings: Surroundings
}

/** Opens a Swift remote; nobody is signed in before the first request. Fails `config`. */
export async function openConnection(remote: SwiftRemote, {wire, surroundings}: SwiftNeeds): Promise<SwiftConnection> {
  const {auth, storageUrl, ...wish} = await findAuth(remote, surroundings)
  const {segmentContainer, tempUrlKey} = remote
  return createConnection({
    endpointName: nameAccount(auth, wish),
    signIn: createSignIn(wire, auth, {...wish, ...(storageUrl === undefined ? {} : {storageUrl})}),
    wire,
    ...(storageUrl === undefined ? {} : {storageUrl}),
    ...(segmentContainer === undefined ? {} : {segmentContainer}),
    ...(tempUrlKey === undefined ? {} : {tempUrlKey}),
  })
}

export async function createSwiftStore(remote: SwiftRemote, needs: SwiftNeeds): Promise<Store & KeyStore> {
  return assembleStore(await openConnection(remote, needs))
}

export function assembleStore(connection: SwiftConnection): Store & KeyStore {
  const objects = createObjects(connection)
  const keys = createKeys(connection)
  return {
    ...createUpload(connection, (target, call) => objects.head(target, call)),
    ...objects,
    ...createContainers(connection),
    ...createLinks(connection, keys),
    ...keys,
  }
}
