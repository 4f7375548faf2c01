import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, ObjectInfo, ObjectOptions, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {nameOf} from './failures.ts'

/** How `noClobber` is kept on this cluster: by a condition that it checks, and by looking first where it may not. */
export interface Guard {
  readonly headers: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

export interface Conditions {
  /** Fails `exists`, and `forbidden` where nobody may look and the cluster does not check. */
  guardWrite(target: Target, options: ObjectOptions, call: Call): Guard | Promise<Guard>
  /** One look may save the sending of all segments; the manifest is guarded all the same. Fails `exists`. */
  lookAhead(target: Target, options: ObjectOptions, call: Call): Promise<void>
}

/** Of a write that may replace. */
export const OPEN: Guard = {headers: {}, notes: []}

export function createConditions(
  connection: Pick<SwiftConnection, 'quirks'>,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): Conditions {
  /** Fails `exists`, and as HEAD does. */
  async function look(target: Target, call: Call): Promise<void> {
    try {
      await head(target, call)
    } catch (error) {
      if (isFailure(error, 'not-found')) return
      throw error
    }
    throw standing(target)
  }

  async function makeGuard(target: Target, call: Call): Promise<Guard> {
    const headers = {'if-none-match': '*'}
    const {conditionalPut: isKnown} = await connection.quirks(call.signal)
    if (isKnown === true) return {headers, notes: []}
    try {
      await look(target, call)
    } catch (error) {
      // By a temp URL whoever may not read is told that the URL is wrong.
      if (!isFailure(error, 'forbidden', 'auth')) throw error
      if (isKnown === false) throw unguarded(target, error)
      return {headers, notes: ['Whether an object stood there could not be checked: these credentials may not read.']}
    }
    return {headers, notes: ['No object stood there just before; this store is not known to check it while writing.']}
  }

  return {
    guardWrite: (target, options, call) => (options.noClobber === true ? makeGuard(target, call) : OPEN),

    async lookAhead(target, options, call) {
      if (options.noClobber !== true) return
      await look(target, call).catch((error: unknown) => {
        // Whatever else keeps us from looking: it is looked at again, or the store checks it itself in the end.
        if (!isFailure(error) || error.code === 'exists' || error.retryable) throw error
      })
    },
  }
}

/** Writing all the same would be the very thing that was not to happen. */
function unguarded({container, key}: Target, cause: Failure): Failure {
  return new Failure(
    'forbidden',
    `Whether there is already ${nameOf(container, key)} cannot be known: these credentials may not read, and the store does not check it while writing.`,
    {context: {container, key}, suggestion: 'Leave --no-clobber out, or ask for the right to read.', cause},
  )
}

function standing({container, key}: Target): Failure {
  return new Failure('exists', `There is already ${nameOf(container, key)}.`, {context: {container, key}})
}
