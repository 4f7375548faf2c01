import type {Wire} from '../../http/send.ts'
import {Failure} from '../../core/failure.ts'
import type {SwiftAuth} from '../remote.ts'
import type {Access} from './access.ts'
import {askIdentity} from './ask-identity.ts'
import {encodeHeader} from './encode.ts'

// https://docs.openstack.org/swift/latest/overview_auth.html#tempauth, and Ceph's /auth
/** Signs in with a user and a key in headers: one request. */
export async function signInV1(
  wire: Wire,
  {authUrl, user, key}: SwiftAuth & {method: 'v1'},
  signal: AbortSignal,
): Promise<Access> {
  const headers = {'x-auth-user': encodeHeader(user), 'x-auth-key': encodeHeader(key)}
  const answer = await askIdentity(wire, {method: 'GET', url: authUrl, headers, secrets: [key]}, signal)
  const {'x-storage-url': storageUrl, 'x-auth-token': first, 'x-storage-token': second} = answer.headers
  const token = first ?? second
  if (typeof storageUrl !== 'string' || typeof token !== 'string' || !URL.canParse(storageUrl)) {
    throw new Failure('config', `What answers at ${new URL(authUrl).host} does not sign anybody in as v1.`, {
      suggestion: 'Check ST_AUTH: it ends in /auth/v1.0, or at Ceph in /auth.',
    })
  }
  const left = Number(answer.headers['x-auth-token-expires'])
  return {storageUrl, token, who: user, ...(left > 0 ? {ends: new Date(Date.now() + left * 1000)} : {})}
}
