import {Failure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {Wire} from '../../http/send.ts'
import type {SwiftRemote} from '../remote.ts'
import type {Call, KeyStore, ObjectInfo, Probing, Store, Target} from '../store.ts'
import type {Surroundings} from '../surroundings.ts'
import type {TicketStore} from '../ticket/ticket-store.ts'
import {createConnection} from './client.ts'
import type {SwiftConnection} from './client.ts'
import {createConditions} from './conditions.ts'
import {createContainers} from './container.ts'
import {findAuth} from './find-auth.ts'
import {createLinks} from './links.ts'
import {createObjects} from './objects.ts'
import {createSignIn, nameAccount} from './sign-in.ts'
import {createKeys, findGivenKey} from './temp-url-keys.ts'
import {createTickets} from './ticket.ts'
import {trustCloud} from './trust.ts'
import {createUpload} from './upload.ts'
import {createVersionCheck} from './versions.ts'

export interface SwiftNeeds {
  readonly wire: Wire
  readonly surroundings: Surroundings
}

/** Opens a Swift remote; nobody is signed in before the first request. Fails `config`. */
export async function openConnection(remote: SwiftRemote, {wire, surroundings}: SwiftNeeds): Promise<SwiftConnection> {
  const {auth, storageUrl, ...wish} = await findAuth(remote, surroundings)
  trustCloud(wire.agents, wish, surroundings)
  const {segmentContainer} = remote
  if (segmentContainer !== undefined) checkContainer(segmentContainer)
  const tempUrlKey = findGivenKey(remote, surroundings)
  return createConnection({
    endpointName: nameAccount(auth, wish),
    signIn: createSignIn(wire, auth, {...wish, ...(storageUrl === undefined ? {} : {storageUrl})}),
    wire,
    ...(storageUrl === undefined ? {} : {storageUrl}),
    ...(segmentContainer === undefined ? {} : {segmentContainer}),
    ...(tempUrlKey === undefined ? {} : {tempUrlKey}),
  })
}

/** What is no name would be another address: with a slash that of an object, empty that of the account. */
function checkContainer(name: string): void {
  if (name !== '' && !name.includes('/')) return
  throw new Failure('usage', `"${printable(name)}" cannot be the name of the container for segments.`)
}

export async function createSwiftStore(
  remote: SwiftRemote,
  needs: SwiftNeeds,
): Promise<Store & KeyStore & TicketStore & Probing> {
  return assembleStore(await openConnection(remote, needs))
}

export function assembleStore(connection: SwiftConnection): Store & KeyStore & TicketStore & Probing {
  const keepsVersions = createVersionCheck(connection)
  const objects = createObjects(connection, keepsVersions)
  const keys = createKeys(connection)
  const links = createLinks(connection, keys)
  const head = (target: Target, call: Call): Promise<ObjectInfo> => objects.head(target, call)
  const conditions = createConditions(connection, head)
  const upload = createUpload(connection, {head, keepsVersions, conditions})
  return {
    ...upload,
    ...objects,
    ...createContainers(connection),
    ...links,
    ...keys,
    ...createTickets(connection, {links, upload, guardWrite: conditions.guardWrite}),
    probing: {open: async () => (await import('./probe.ts')).createProbe(connection)},
  }
}
