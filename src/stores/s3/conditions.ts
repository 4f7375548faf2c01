import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, ObjectInfo, ObjectOptions, Target} from '../store.ts'
import type {S3Exchange} from './client.ts'

/** How `noClobber` is kept on this store: by a condition that the store checks, by looking first, or by both. */
export interface Guard {
  readonly headers: Readonly<Record<string, string>>
  readonly notes: readonly string[]
  /** True where the store does not know the condition; it is remembered, and the next guard has none. */
  isRefused(error: unknown): boolean
}

export type ConditionalVerb = 'conditionalPut' | 'conditionalComplete'

const OPEN: Guard = {headers: {}, notes: [], isRefused: () => false}

export function createConditions(
  connection: S3Exchange,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): (target: Target, options: ObjectOptions, verb: ConditionalVerb, call: Call) => Guard | Promise<Guard> {
  const {quirks, findings} = connection.settings

  /** Fails `exists`; returns what could not be made sure of. */
  async function lookFirst(target: Target, call: Call): Promise<readonly string[]> {
    try {
      await head(target, call)
    } catch (error) {
      if (isFailure(error, 'not-found')) {
        return ['No object stood there just before; this store is not known to check it while writing.']
      }
      if (isFailure(error, 'forbidden')) {
        return ['Whether an object stood there could not be checked: these credentials may not read.']
      }
      throw error
    }
    const {container, key} = target
    throw new Failure('exists', `There is already "${container}/${key}".`, {context: {container, key}})
  }

  async function makeGuard(target: Target, verb: ConditionalVerb, call: Call): Promise<Guard> {
    const honours = findings.get(connection.endpointName)[verb] ?? quirks.conditionalPut
    const notes = honours === true ? [] : await lookFirst(target, call)
    if (honours === false) return {...OPEN, notes}
    return {
      headers: {'if-none-match': '*'},
      notes,
      isRefused(error) {
        const isRefused = isFailure(error, 'unsupported')
        if (isRefused) findings.learn(connection.endpointName, {[verb]: false})
        return isRefused
      },
    }
  }

  return (target, options, verb, call) => (options.noClobber === true ? makeGuard(target, verb, call) : OPEN)
}
