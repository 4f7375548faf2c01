import {createHash} from 'node:crypto'
import type {S3Client} from '@aws-sdk/client-s3'
import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, Target} from '../store.ts'
import type {S3Connection} from './client.ts'
import type {ControlPlane} from './control.ts'
import {requestXml} from './multipart.ts'

type Send = S3Client['send']
type Sdk = Parameters<Parameters<ControlPlane['run']>[2]>[1]

/** Sends one operation on a container. Fails as `failures` translates. */
export type Ask = <T>(operation: (send: Send, sdk: Sdk) => Promise<T>) => Promise<T>

/** One container, and how it is asked. */
export interface Place {
  readonly connection: S3Connection
  readonly ask: Ask
  readonly target: Target
  readonly call: Call
}

export function createAsk(control: ControlPlane, target: Target, call: Call): Ask {
  const at = {...target, key: ''}
  return async operation => {
    const run = (withMd5: boolean) =>
      control.run(at, call, (client, sdk) => operation(createSend(client, call, withMd5), sdk))
    try {
      return await run(false)
    } catch (error) {
      // The SDK sends the newer checksums only; older stores want this one with every document.
      if (!isFailure(error, 'usage') || !/content-md5/iu.test(error.message)) throw error
      return run(true)
    }
  }
}

function createSend(client: S3Client, call: Call, withMd5: boolean): Send {
  const send = (command: Parameters<Send>[0]) => {
    if (withMd5) command.middlewareStack.add(addMd5, {step: 'build', priority: 'low', name: 'contentMd5'})
    return client.send(command, {abortSignal: call.signal})
  }
  return send as Send
}

function addMd5<Args extends object, Result>(next: (args: Args) => Promise<Result>): (args: Args) => Promise<Result> {
  return async args => {
    const {request} = args as {request?: {headers: Record<string, string>; body?: string | Uint8Array}}
    if (request?.body !== undefined) {
      request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64')
    }
    return next(args)
  }
}

/** True where the store has no such thing: it says so, does not understand the request, or takes it for another one. */
export function isUnsupported(error: unknown): error is Failure {
  if (!isFailure(error)) return false
  return ['unsupported', 'usage'].includes(error.code) || /^BucketAlready/u.test(error.context.providerCode ?? '')
}

/** Returns undefined where the container has no such document. Fails `not-found` where there is no container. */
export async function findDocument<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking
  } catch (error) {
    if (isFailure(error, 'not-found') && error.context.providerCode !== 'NoSuchBucket') return undefined
    throw error
  }
}

/**
 * Fails `unsupported` unless the store answers with this very document. One that passes over a query which it does not
 * know answers with a listing, which the SDK reads as a document without entries; and it would take a PUT or DELETE for
 * that of the container itself.
 */
export async function checkDocument({connection, target, call}: Place, query: string, root: string): Promise<void> {
  const request = {method: 'GET', target: {...target, key: ''}, query: {[query]: ''}}
  try {
    await requestXml(connection, request, call, root)
  } catch (error) {
    call.signal.throwIfAborted()
    const context = {container: target.container}
    throw new Failure('unsupported', `The store has no ${query} settings of containers.`, {context, cause: error})
  }
}
