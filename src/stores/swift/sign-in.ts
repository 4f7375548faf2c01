import type {Wire} from '../../http/send.ts'
import {Failure} from '../../core/failure.ts'
import type {SwiftAuth} from '../remote.ts'
import type {Access} from './access.ts'
import {signInV1} from './auth-v1.ts'
import type {CatalogWish} from './catalog.ts'
import {signInV2} from './keystone-v2.ts'
import {signInV3} from './keystone-v3.ts'

/** Makes the sign-in of one way: one request a call, none where the token was given. */
export function createSignIn(wire: Wire, auth: SwiftAuth, wish: CatalogWish): (signal: AbortSignal) => Promise<Access> {
  if (auth.method === 'v1') return signal => signInV1(wire, auth, signal)
  if (auth.method === 'storage-url') return giveOnce(auth)
  if (auth.method === 'v2-password' || auth.method === 'api-key') return signal => signInV2(wire, auth, wish, signal)
  return signal => signInV3(wire, auth, wish, signal)
}

/** A token that was given is all there is: asked a second time, it has ended. */
function giveOnce({storageUrl, token}: SwiftAuth & {method: 'storage-url'}): () => Promise<Access> {
  let wasGiven = false
  return async () => {
    if (wasGiven) throw tokenEnded()
    wasGiven = true
    return {storageUrl, ...(token === undefined ? {} : {token})}
  }
}

/** A name for journals, without any secret. */
export function nameAccount(auth: SwiftAuth, {region}: CatalogWish): string {
  if (auth.method === 'storage-url') return auth.storageUrl
  const who = [
    'user' in auth ? auth.user : undefined,
    'username' in auth ? auth.username : undefined,
    'userId' in auth ? auth.userId : undefined,
    'id' in auth ? auth.id : undefined,
    'credentialName' in auth ? auth.credentialName : undefined,
  ]
  // The project is the account; who signs in matters only where none is named.
  const project = 'projectId' in auth || 'projectName' in auth ? [auth.projectId ?? auth.projectName] : who
  return [auth.authUrl, ...project, region].filter(word => word !== undefined).join(' ')
}

function tokenEnded(): Failure {
  return new Failure('expired', 'The token that was given is not valid, or not any more.', {
    suggestion: 'Get a new one for OS_AUTH_TOKEN, or sign in another way, which renews itself.',
  })
}
