import {setTimeout as sleep} from 'node:timers/promises'
import {LONGEST_TIMER} from '../../core/durations.ts'
import type {Failure} from '../../core/failure.ts'
import {isFailure} from '../../core/failure.ts'
import {isUnreached} from '../../http/network-failure.ts'
import type {ByteRange, Call, Limits, Store, UploadStore} from '../store.ts'

export interface RetryPolicy {
  /** How long to go on without any success. */
  readonly retryFor: number
  /** Where nobody has ever answered, a wrong name is likelier than a lost network. */
  readonly firstContact?: number
  /** In [0, 1). */
  readonly random?: () => number
}

const BASE = 250
const LONGEST = 20_000
const INTEGRITY_ATTEMPTS = 3
/** A timer may end so many ms early by the finer clock. */
const EARLY = 1

/**
 * Tries again what failed for a while: full jitter, Retry-After, no count, until `retryFor` has passed since the last
 * success of any call. Integrity failures get three attempts.
 */
export function withRetry<S extends UploadStore | Store>(store: S, policy: RetryPolicy): S {
  const random = policy.random ?? Math.random
  let lastSuccess = 0
  let wasReached = false

  function mayRetry(failure: Failure, attempt: number, firstFailure: number): boolean {
    if (!failure.retryable) return false
    if (failure.code === 'integrity') return attempt < INTEGRITY_ATTEMPTS
    const patience = wasReached ? policy.retryFor : Math.min(policy.retryFor, policy.firstContact ?? policy.retryFor)
    return performance.now() + EARLY - Math.max(lastSuccess, firstFailure) < patience
  }

  async function retry<T>(call: Call, run: () => Promise<T>, isContact = true): Promise<T> {
    let firstFailure = Number.POSITIVE_INFINITY
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await run()
        if (isContact) {
          lastSuccess = performance.now()
          wasReached = true
        }
        return result
      } catch (error) {
        call.signal.throwIfAborted()
        if (!isFailure(error)) throw error
        if (!isUnreached(error)) wasReached = true
        firstFailure = Math.min(firstFailure, performance.now())
        if (!mayRetry(error, attempt, firstFailure)) throw error
        const jitter = random() * Math.min(LONGEST, BASE * 2 ** (attempt - 1))
        // Asked to wait for longer than we would go on: one last try then.
        const wait = Math.round(Math.min(error.retryAfter ?? jitter, policy.retryFor, LONGEST_TIMER))
        call.onRetry?.({attempt, wait, failure: error})
        call.onSent?.(0)
        await sleep(wait, undefined, {signal: call.signal}).catch(() => call.signal.throwIfAborted())
      }
    }
  }

  /** A listing tries its pages again, not itself. */
  function withPages(call: Call): Call {
    return {...call, retryPage: ask => retry(call, ask)}
  }

  /** A reading that breaks goes on where it broke: no byte is handed over twice. */
  async function retryRead(read: Store['read'], ...[target, range, onBytes, call]: Parameters<Store['read']>) {
    let handed = 0
    const rest = (): ByteRange | undefined => {
      if (handed === 0) return range
      const offset = range?.offset ?? 0
      return {offset: offset + handed, size: (range?.size ?? Number.MAX_SAFE_INTEGER - offset) - handed}
    }
    const take = async (bytes: Buffer): Promise<void> => {
      await onBytes(bytes)
      handed += bytes.length
    }
    return retry(call, () => read(target, rest(), take, call))
  }

  let limits: Promise<Limits> | undefined

  /** They stay the same, and every object asks for them; who asks while they are not known has a request of his own. */
  function findLimits(call: Call): Promise<Limits> {
    // They may be known without a request: they prove nothing about the network.
    return limits ?? retry(call, () => store.limits(call), false).then(found => (limits = Promise.resolve(found)))
  }

  const layered: Record<string, unknown> = {...store, limits: findLimits}
  for (const [name, method] of Object.entries(store)) {
    if (typeof method !== 'function' || PLAIN.has(name)) continue
    layered[name] = (...args: unknown[]) => retry(findCall(args), () => method(...args) as Promise<unknown>)
  }
  if ('list' in store) {
    Object.assign(layered, {
      list: (prefix, call, after) => store.list(prefix, withPages(call), after),
      listUploads: (prefix, call) => store.listUploads(prefix, withPages(call)),
      listContainers: call => store.listContainers(withPages(call)),
    } satisfies Pick<Store, 'list' | 'listUploads' | 'listContainers'>)
  }
  if ('read' in store) {
    const read: Store['read'] = (...args) => store.read(...args)
    layered['read'] = (...args: Parameters<Store['read']>) => retryRead(read, ...args)
  }
  return layered as unknown as S
}

/** Iterables, what needs no store, and what is asked for once. */
const PLAIN = new Set(['limits', 'list', 'listUploads', 'listContainers', 'tempUrl', 'link', 'publicUrl'])

function findCall(args: readonly unknown[]): Call {
  return args.at(-1) as Call
}
