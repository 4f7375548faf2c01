import {Failure} from '../../core/failure.ts'
import {send} from '../../http/send.ts'
import type {Call} from '../store.ts'
import {textHeader} from './checksum.ts'
import type {Identity, S3Connection} from './client.ts'
import {readRefusal, readRegion, toFailure} from './failures.ts'

/** Knows the region that a container's URLs must be signed for. */
export interface Regions {
  /** Asks the network only on AWS itself, where no region was given, once a container. Fails `not-found`. */
  find(container: string, call: Call): Promise<string>
  identity(container: string, call: Call): Promise<Identity>
}

export function createRegions(connection: S3Connection): Regions {
  const {endpoint, region, quirks, wire} = connection.settings
  const asked = new Map<string, Promise<string>>()

  /** AWS tells the region of a container to anybody, in the answer to a HEAD without a signature. */
  async function ask(container: string, call: Call): Promise<string> {
    const place = connection.origin(container, quirks.defaultRegion)
    const request = {
      method: 'HEAD',
      origin: place.origin,
      path: place.prefix || '/',
      headers: {host: hostOf(place.origin)},
    }
    const answer = await send(wire, request, {signal: call.signal})
    const found = readRegion(textHeader(answer, 'x-amz-bucket-region'))
    if (found !== undefined) return found
    const failure = toFailure(readRefusal(answer), {container})
    if (failure.code === 'not-found' || failure.retryable) throw failure
    throw new Failure('config', `The region of "${container}" could not be found.`, {
      context: failure.context,
      suggestion: 'Name it with --region, or in AWS_REGION.',
    })
  }

  async function find(container: string, call: Call): Promise<string> {
    if (endpoint !== undefined || region !== undefined) return region ?? quirks.defaultRegion
    const known = asked.get(container) ?? ask(container, call)
    asked.set(container, known)
    known.catch(() => asked.delete(container))
    return known
  }

  return {
    find,
    async identity(container, call) {
      const identity = await connection.identity(container)
      // Another one than the default was given, or learned from an answer.
      if (identity.region !== quirks.defaultRegion) return identity
      return {...identity, region: await find(container, call)}
    },
  }
}

function hostOf(origin: string): string {
  return new URL(origin).host
}
