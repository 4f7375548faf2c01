import {randomBytes} from 'node:crypto'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {actualCorsHeaders, answerPreflight} from './handlers/preflight.ts'
import {errorAnswer, writeAnswer} from './protocol/answer.ts'
import type {Answer} from './protocol/answer.ts'
import {drainBody} from './protocol/drain.ts'
import {asS3Error, S3Error} from './protocol/errors.ts'
import type {House} from './protocol/handler.ts'
import {isLoopbackHost} from './protocol/host.ts'
import {openPayload} from './protocol/payload.ts'
import {readAddress, readHeaders} from './protocol/request.ts'
import type {Address, Headers} from './protocol/request.ts'
import {authenticate} from './protocol/signature.ts'
import {findRoute} from './router.ts'

export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
}

/** Answers one request. Never fails: whatever goes wrong becomes an answer or the end of the connection. */
export async function serve(arrival: Arrival, house: House): Promise<void> {
  const {request, response} = arrival
  const id = randomBytes(8).toString('hex').toUpperCase()
  // Writing to a client that went away is an event here, and an event that nobody hears ends the process.
  response.on('error', () => undefined)
  let waitsForContinue = arrival.expectsContinue
  const start = () => {
    if (waitsForContinue) response.writeContinue()
    waitsForContinue = false
  }
  try {
    const answer = await findAnswer(request, id, house, start)
    if (response.destroyed) {
      if (typeof answer.body === 'object') answer.body.close()
      return
    }
    const isLeft = !request.complete && (waitsForContinue || hasLongBody(request))
    const ours = {
      'x-amz-request-id': id,
      'x-amz-id-2': id,
      server: 'skylift-sandbox',
      ...(isLeft && {connection: 'close'}),
    }
    await writeAnswer(response, {...answer, headers: {...answer.headers, ...ours}}, request.method === 'HEAD')
    if (isLeft && !waitsForContinue) await drainBody(request)
    response.end()
  } catch {
    response.destroy()
  }
}

async function findAnswer(request: IncomingMessage, id: string, house: House, start: () => void): Promise<Answer> {
  const headers = readHeaders(request)
  let address: Address | undefined
  let answer: Answer
  try {
    // A request to a proxy names the host in its target too.
    const [, named] = /^https?:\/\/([^/?#]*)/iu.exec(request.url ?? '') ?? []
    if (!isLoopbackHost(headers.get('host')) || (named !== undefined && !isLoopbackHost(named))) {
      throw new S3Error('AccessDenied', 'The sandbox answers to 127.0.0.1, localhost and [::1] only.')
    }
    address = readAddress(request)
    answer = await dispatch(request, address, headers, id, house, start)
  } catch (error) {
    answer = errorAnswer(asS3Error(error), (request.url ?? '').split('?', 1)[0] ?? '', id)
  }
  // A page may read a refusal too, or it could not say what went wrong.
  if (address === undefined || address.method === 'OPTIONS') return answer
  return {...answer, headers: {...answer.headers, ...actualCorsHeaders(address, headers, house)}}
}

async function dispatch(
  request: IncomingMessage,
  address: Address,
  sent: Headers,
  id: string,
  house: House,
  start: () => void,
): Promise<Answer> {
  if (address.method === 'OPTIONS') return answerPreflight(address, sent, house)
  const authentication = authenticate(address, sent, house.identity, Date.now())
  const {headers, caller} = authentication
  const route = findRoute(address, headers)
  if (caller === 'anyone' && route.allowsAnyone?.(address, house) !== true) throw new S3Error('AccessDenied')
  const owner = headers.get('x-amz-expected-bucket-owner')
  if (owner !== undefined && owner !== house.owner.id) throw new S3Error('AccessDenied')
  const payload = openPayload(request, authentication, start)
  return route.handle({...address, id, caller, headers, payload}, house)
}

// A short rest is read to its end by Node, and the connection lives on.
function hasLongBody(request: IncomingMessage): boolean {
  const size = Number(request.headers['content-length'] ?? 0)
  return request.headers['transfer-encoding'] !== undefined || size > 64 * 1024
}
