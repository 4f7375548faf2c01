import {createHash, randomBytes} from 'node:crypto'
import {isFailure} from '../../core/failure.ts'
import type {Target} from '../../core/target.ts'
export type {TempUrlMethod} from '../../stores/store.ts'
import type {Call, Store, TempUrlMethod} from '../../stores/store.ts'
import type {Visit} from './act-as-page.ts'
import {findUnsafeHeaders} from './browser-rules.ts'

export interface VisitWish {
  readonly origin: string
  readonly method: TempUrlMethod
  /** As the page would set them; a value may stand behind a colon. */
  readonly headers: readonly string[]
  readonly reads: readonly string[]
}

/** One visit, and the object that nobody has and to which it goes. */
export interface PlannedVisit {
  readonly visit: Visit
  readonly target: Target
}

const LIFETIME = 300_000
const BYTES = Buffer.from('skylift cors test: this must not be stored')
const OTHER_MD5 = createHash('md5').update('anything else').digest()
/** A PUT that S3 and Swift refuse as damaged, once they have let it in. */
const DAMAGED = {'content-md5': OTHER_MD5.toString('base64'), etag: OTHER_MD5.toString('hex')}
const FORM = {'content-type': 'multipart/form-data; boundary=x'}

/** Plans a visit that changes nothing: to a key that nobody has, with bytes that are refused. */
export async function planVisit(store: Store, place: Target, wish: VisitWish, call: Call): Promise<PlannedVisit> {
  const folder = place.key.slice(0, place.key.lastIndexOf('/') + 1)
  const target = {...place, key: `${folder}.skylift-cors-${randomBytes(8).toString('hex')}`}
  const {origin, method, reads} = wish
  return {
    target,
    visit: {
      origin,
      method,
      reads,
      unsafeHeaders: findUnsafeHeaders(wish.headers),
      url: await findUrl(store, target, method, call),
      ...(method === 'PUT' ? {headers: DAMAGED, body: BYTES} : {headers: {}}),
      ...(method === 'POST' ? {headers: FORM, body: Buffer.from('--x--\r\n')} : {}),
    },
  }
}

/** A page has a temp URL; where none can be made, the plain address must do, and is refused. */
async function findUrl(store: Store, target: Target, method: TempUrlMethod, call: Call): Promise<string> {
  try {
    const made = await store.tempUrl(target, {method, expiresIn: LIFETIME, allowShorter: true}, call)
    return made.url
  } catch (error) {
    if (!isFailure(error, 'auth', 'config', 'forbidden', 'not-found', 'unsupported', 'usage')) throw error
    return store.publicUrl(target, call)
  }
}
