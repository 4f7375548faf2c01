import {startSwift} from '../servers/swift.ts'
import type {SwiftServer} from '../servers/swift.ts'
import {ask, escapePath, signIn} from '../stores/swift/foreign-swift.ts'
import type {Reply, SwiftAccess} from '../stores/swift/foreign-swift.ts'
import type {Env} from './run-skylift.ts'

/** An account of a real Swift that no other suite uses, and how it is looked at without us. */
export interface SwiftAccount {
  readonly server: SwiftServer
  /** What a person sets to sign in to it. */
  readonly env: Env
  readonly access: SwiftAccess
  /** Sends one request with a token; the path is that of a container or an object. */
  raw(method: string, path?: string, headers?: Record<string, string>): Promise<Reply>
}

export async function openAccount(options: Parameters<typeof startSwift>[0] = {}): Promise<SwiftAccount> {
  const server = await startSwift(options)
  const {authUrl} = server.v1
  const admin = {authUrl, user: 'admin:admin', key: 'admin'}
  const access = await signIn(admin)
  return {
    server,
    env: {ST_AUTH: authUrl, ST_USER: admin.user, ST_KEY: admin.key},
    access,
    raw: (method, path = '', headers = {}) =>
      ask(`${access.storageUrl}${path === '' ? '' : `/${escapePath(path)}`}`, {
        method,
        headers: {'x-auth-token': access.token, ...headers},
      }),
  }
}
