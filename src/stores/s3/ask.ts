import {createHash} from 'node:crypto'
import type {S3Client} from '@aws-sdk/client-s3'
import {isFailure} from '../../core/failure.ts'
import type {Failure} from '../../core/failure.ts'
import type {Call, Target} from '../store.ts'
import type {ControlPlane} from './control.ts'

type Send = S3Client['send']
type Sdk = Parameters<Parameters<ControlPlane['run']>[2]>[1]

/** Sends one operation on a container. Fails as `failures` translates. */
export type Ask = <T>(operation: (send: Send, sdk: Sdk) => Promise<T>) => Promise<T>

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

/** True where the store has no such thing: it says so, or does not understand the request. */
export function isUnsupported(error: unknown): error is Failure {
  return isFailure(error, 'unsupported', 'usage')
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
