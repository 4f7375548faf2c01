import {setTimeout as sleep} from 'node:timers/promises'
import {Failure, isFailure} from '../../core/failure.ts'
import {childText} from '../../core/xml.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Call, ObjectInfo, Target} from '../store.ts'
import type {S3Connection} from './client.ts'
import {requestXml} from './multipart.ts'

/** How long a store may take to look at the headers of a PUT. */
const PATIENCE = 3000

/**
 * Makes the check for `writeOnce`: fails `unsupported` unless the store is known to honour `If-None-Match: *` on a PUT.
 * What is not known is asked of the store, without writing anything, and remembered.
 */
export function createWriteOnce(
  connection: S3Connection,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): (target: Target, call: Call) => Promise<void> {
  const {findings, quirks} = connection.settings

  return async (target, call) => {
    const known = findings.get(connection.endpointName).conditionalPut ?? quirks.conditionalPut
    const honours = known ?? (await probe(target, call))
    if (honours === true) return
    const {container, key} = target
    const sentence =
      honours === false
        ? 'This store does not know write-once: a PUT there replaces whatever stands at the key.'
        : 'Whether this store honours write-once could not be found out: no object is there to try it with, or it gave no clear answer.'
    throw new Failure('unsupported', sentence, {
      context: {container, key},
      suggestion: 'Take --random-key, so that the URL is for a key that nobody else uses, and a short --expires.',
    })
  }

  async function probe(target: Target, call: Call): Promise<boolean | undefined> {
    const existing = await findExisting(target, call)
    const honours = existing === undefined ? undefined : await askWithoutBody(existing, call)
    if (honours !== undefined) findings.learn(connection.endpointName, {conditionalPut: honours})
    return honours
  }

  async function findExisting(target: Target, call: Call): Promise<Target | undefined> {
    try {
      return (await head(target, call)).target
    } catch (error) {
      if (!isFailure(error, 'not-found', 'forbidden')) throw error
    }
    try {
      const request = {method: 'GET', target: {...target, key: ''}, query: {'list-type': '2', 'max-keys': '1'}}
      const {element} = await requestXml(connection, request, call, 'ListBucketResult')
      const key = childText(
        element.children.find(({name}) => name === 'Contents'),
        'Key',
      )
      return key === undefined ? undefined : {...target, key}
    } catch (error) {
      if (isFailure(error, 'not-found', 'forbidden', 'unsupported')) return undefined
      throw error
    }
  }

  /**
   * Announces a PUT over an object that is there and never sends its body, so nothing can be stored, whatever the store
   * makes of the condition. One that honours it refuses with 412 before it wants the body; silence tells nothing.
   */
  async function askWithoutBody(target: Target, call: Call): Promise<boolean | undefined> {
    const request = {method: 'PUT', target, headers: {'if-none-match': '*'}, body: bufferBody(Buffer.alloc(1))}
    const silence = new Failure('unexpected', 'The store waits for the body.')
    const withhold = async (): Promise<never> => {
      await sleep(PATIENCE, undefined, {ref: false})
      throw silence
    }
    try {
      await connection.request(request, {signal: call.signal, pace: withhold})
    } catch (error) {
      if (isFailure(error, 'exists')) return true
      if (isFailure(error, 'unsupported')) return false
      // Refused as wrong: it does not tell whether it is the condition that is, so nothing is remembered.
      if (error !== silence && !isFailure(error, 'forbidden', 'usage')) throw error
    }
    return undefined
  }
}
