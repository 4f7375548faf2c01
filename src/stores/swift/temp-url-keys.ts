import {Failure, isFailure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {SwiftRemote} from '../remote.ts'
import type {Call, KeyStore, Target, TempUrlKeys} from '../store.ts'
import type {Surroundings} from '../surroundings.ts'
import type {SwiftConnection} from './client.ts'
import {decodeHeader, encodeHeader} from './encode.ts'

/** Makes the verbs for the keys of temp URLs; without a container they are the account's. */
export function createKeys(connection: SwiftConnection): KeyStore {
  const kindOf = ({container}: Target): string => (container === '' ? 'account' : 'container')
  const nameOf = (target: Target, slot: keyof TempUrlKeys): string =>
    `x-${kindOf(target)}-meta-temp-url-key${slot === 'key2' ? '-2' : ''}`

  async function getTempUrlKeys(target: Target, {signal}: Call): Promise<TempUrlKeys> {
    const {headers} = await connection.request({method: 'HEAD', target: {...target, key: ''}}, {signal})
    const read = (slot: keyof TempUrlKeys): TempUrlKeys => {
      const value = headers[nameOf(target, slot)]
      return typeof value === 'string' && value !== '' ? {[slot]: decodeHeader(value)} : {}
    }
    return {...read('key'), ...read('key2')}
  }

  async function post(target: Target, keys: TempUrlKeys, {signal}: Call): Promise<void> {
    const headers: Record<string, string> = {}
    for (const slot of ['key', 'key2'] as const) {
      const key = keys[slot]
      if (key !== undefined) headers[nameOf(target, slot)] = encodeHeader(checkKey(key))
    }
    await connection.request({method: 'POST', target: {...target, key: ''}, headers}, {signal})
  }

  return {
    getTempUrlKeys,
    setTempUrlKey: (target, slot, key, call) => post(target, {[slot]: key}, call),

    async rotateTempUrlKey(target, key, call) {
      const {key: present} = await getTempUrlKeys(target, call)
      // A rotation that is tried again must not push the old key out.
      if (present === key) return
      // In one request: in between, URLs of neither key would be taken for granted.
      await post(target, {key, ...(present === undefined ? {} : {key2: present})}, call)
    },
  }
}

function checkKey(key: string): string {
  if (key !== '' && key === key.trim() && !/\p{Cc}/u.test(key) && Buffer.byteLength(key) <= 256) return key
  throw new Failure('usage', 'A Temp-URL key has 1 to 256 bytes, no control characters, and no space at its ends.')
}

/** A key to sign with, and whose it is. */
export interface FoundKey {
  readonly key: string
  readonly of: 'given' | 'account' | 'container'
}

/** The key that is known without asking: the remote's own, or OS_TEMP_URL_KEY. */
export function findGivenKey({tempUrlKey, auth}: SwiftRemote, {env}: Surroundings): string | undefined {
  // A saved remote has nothing to do with what the environment says of another account.
  return tempUrlKey ?? ((auth === undefined && env['OS_TEMP_URL_KEY']) || undefined)
}

/**
 * Makes the search for the key to sign with: the one that was given, the account's, the container's. The account's key comes
 * first since a container's key does not open large objects whose segments are elsewhere. Fails `config`.
 */
export function createKeySearch(
  connection: SwiftConnection,
  {getTempUrlKeys}: KeyStore,
): (target: Target, call: Call) => Promise<FoundKey> {
  const {tempUrlKey} = connection.settings

  async function find(target: Target, call: Call): Promise<string | undefined> {
    try {
      const {key, key2} = await getTempUrlKeys(target, call)
      return key ?? key2
    } catch (error) {
      // Keys are shown to owners only.
      if (isFailure(error, 'forbidden')) return undefined
      throw error
    }
  }

  return async (target, call) => {
    if (tempUrlKey !== undefined) return {key: checkKey(tempUrlKey), of: 'given'}
    const ofAccount = await find({...target, container: '', key: ''}, call)
    if (ofAccount !== undefined) return {key: ofAccount, of: 'account'}
    const ofContainer = await find({...target, key: ''}, call)
    if (ofContainer !== undefined) return {key: ofContainer, of: 'container'}
    const message = `Neither the account nor "${printable(target.container)}" has a Temp-URL key that these credentials may see.`
    throw new Failure('config', message, {
      suggestion: `Make one with: skylift temp-url-key set ${target.remote}://. Or set OS_TEMP_URL_KEY, if you know it.`,
    })
  }
}
