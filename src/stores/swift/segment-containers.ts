import {Failure, isFailure} from '../../core/failure.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Call, Target} from '../store.ts'
import type {SwiftConnection, SwiftRequest} from './client.ts'

/** The policy of an object's container, so that its segments are stored alike. Fails `not-found`. */
export async function findPolicy(
  connection: Pick<SwiftConnection, 'request'>,
  {container}: Target,
  {signal}: Call,
): Promise<string | undefined> {
  try {
    const {headers} = await connection.request({method: 'HEAD', target: {container, key: ''}}, {signal})
    const policy = headers['x-storage-policy']
    return typeof policy === 'string' ? policy : undefined
  } catch (error) {
    // Credentials that may only write.
    if (isFailure(error, 'forbidden')) return undefined
    throw error
  }
}

/** Writes a small object into a container of segments, which is made where it is missing. */
export async function putInto(
  connection: Pick<SwiftConnection, 'request'>,
  target: {readonly container: string; readonly key: string},
  {
    text,
    headers,
    policy,
  }: {
    readonly text: string
    readonly headers: Readonly<Record<string, string>>
    readonly policy: string | undefined
  },
  {signal}: Call,
): Promise<void> {
  const request: SwiftRequest = {method: 'PUT', target, headers, body: bufferBody(Buffer.from(text))}
  const {status} = await connection.request({...request, accepts: [404]}, {signal})
  if (status < 300) return
  await createSegmentContainer(connection, target.container, policy, {signal})
  await connection.request(request, {signal})
}

export async function createSegmentContainer(
  connection: Pick<SwiftConnection, 'request'>,
  container: string,
  policy: string | undefined,
  {signal}: Call,
): Promise<void> {
  const headers: Record<string, string> = policy === undefined ? {} : {'x-storage-policy': policy}
  try {
    // 409: somebody made it meanwhile, under another policy.
    await connection.request({method: 'PUT', target: {container, key: ''}, headers, accepts: [409]}, {signal})
  } catch (error) {
    if (!isFailure(error, 'forbidden')) throw error
    throw new Failure('forbidden', `These credentials may not make the container "${container}" for the segments.`, {
      context: error.context,
      cause: error,
      suggestion: 'Have the owner make it, or name another one with --segment-container.',
    })
  }
}
