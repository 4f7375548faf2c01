import type {Failure} from '../../core/failure.ts'
import type {Answer} from '../../http/send.ts'
import {readRefusal, toFailure} from '../swift/failures.ts'
import {ASK, isOver, retell, tellExpired, tellReading, withoutSignature} from './refusal.ts'
import type {RefusedUse} from './refusal.ts'
import type {SwiftUrl} from './signed-url.ts'

/** Translates what Swift answered: one 401 for everything, so the clock and a HEAD tell what can be told. */
export async function explainSwift(url: SwiftUrl, answer: Answer, use: RefusedUse): Promise<Failure> {
  const {container, key} = use.target
  const refusal = readRefusal(answer)
  const failure = toFailure({...refusal, message: withoutSignature(refusal.message, url)}, {container, key})
  switch (failure.code) {
    case 'auth':
    case 'forbidden': {
      if (isOver(url, answer)) return tellExpired(url, failure, answer)
      const reading = use.method === 'HEAD' ? undefined : await tellReading(url, 'HEAD', failure, use)
      if (reading !== undefined) return reading
      const where = url.ipRange === undefined ? '' : `, it is used from elsewhere than ${url.ipRange}`
      const words = `The store does not accept the URL: it was changed or cut off${where}, it is not for PUT, or its key was replaced.`
      return retell(failure, 'auth', words)
    }
    case 'not-found':
      return use.method === 'HEAD'
        ? failure
        : retell(failure, 'not-found', 'The store accepts the URL, but its container is not there.')
    case 'too-large':
      return retell(failure, 'too-large', failure.message, `${ASK} A ticket (skylift ticket create) uploads in parts.`)
    default:
      return failure
  }
}
