import type {Storage} from '../storage/storage.ts'
import type {Answer} from './answer.ts'
import type {Payload} from './payload.ts'
import type {Address, Headers} from './request.ts'
import type {Identity} from './signing.ts'

/** One request whose sender is known. */
export interface S3Request extends Address {
  readonly id: string
  readonly caller: 'owner' | 'anyone'
  readonly headers: Headers
  readonly payload: Payload
}

/** What handlers work with. */
export interface House {
  readonly storage: Storage
  readonly region: string
  readonly identity: Identity
  readonly owner: {readonly id: string; readonly name: string}
}

export type Handler = (request: S3Request, house: House) => Promise<Answer> | Answer
