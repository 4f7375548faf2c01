import {Failure} from '../../core/failure.ts'
import type {SwiftRemote} from '../remote.ts'
import type {Store} from '../store.ts'

export function createSwiftStore(remote: SwiftRemote, _needs: unknown): Promise<Store> {
  return Promise.reject(new Failure('unsupported', `${remote.name} cannot be opened yet.`))
}
