import {Failure, isFailure} from '../../core/failure.ts'
import {timeLeft} from '../../stores/ticket/ticket.ts'
import type {Place} from './place.ts'

/**
 * Finds out why nothing comes through, as far as a page can: a browser tells a lost network and a refusal of CORS alike.
 * Fails `expired`, and `forbidden` where the store is there and does not let this page speak to it.
 */
export async function diagnose({origin, expires}: Pick<Place, 'origin' | 'expires'>): Promise<void> {
  // Swift refuses what has expired without the headers that would let a page see it.
  if (timeLeft({expires}, Date.now()) === 0) throw new Failure('expired', 'This page has expired.')
  try {
    // An opaque answer cannot be read, but it is one.
    await fetch(origin, {mode: 'no-cors', cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(10_000)})
  } catch {
    return
  }
  throw new Failure('forbidden', 'The store does not let this page upload.', {context: {providerCode: CORS}})
}

/** Marks the one refusal that the owner can mend by a rule. */
export const CORS = 'CORS'

/** True when the store is there, and only its answer was kept from the page. Fails `expired`. */
export async function isHidden(place: Pick<Place, 'origin' | 'expires'>): Promise<boolean> {
  try {
    await diagnose(place)
    return false
  } catch (error) {
    if (isFailure(error, 'forbidden')) return true
    throw error
  }
}
