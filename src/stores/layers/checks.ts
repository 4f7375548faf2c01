import {asFailure, isFailure} from '../../core/failure.ts'
import type {Failure} from '../../core/failure.ts'
import {checkCall, checkTarget, checkTicketWish, interruption} from '../../core/check-arguments.ts'
import type {Store} from '../store.ts'

/** Verbs that begin with a place. */
const PLACED = new Set([
  ...['head', 'read', 'compare', 'list', 'deleteObject', 'listUploads', 'putWhole', 'begin', 'tempUrl', 'link'],
  ...['publicUrl', 'createContainer', 'showContainer', 'deleteContainer', 'getCors', 'setCors', 'addCors', 'clearCors'],
  ...['getTempUrlKeys', 'setTempUrlKey', 'rotateTempUrlKey', 'mintTicket'],
])

const LISTINGS = new Set(['list', 'listUploads', 'listContainers'])

/** For programs: what they give is looked at, and whatever is thrown becomes a `Failure`. */
export function withChecks<S extends Store>(store: S): S {
  const checked: Record<string, unknown> = {}
  for (const [name, verb] of Object.entries(store)) {
    if (typeof verb !== 'function') continue
    const run = verb as (...args: unknown[]) => unknown
    checked[name] = LISTINGS.has(name)
      ? (...args: unknown[]) => iterate(name, run as (...args: unknown[]) => AsyncIterable<unknown>, args)
      : (...args: unknown[]) => ask(name, run, args)
  }
  return {...store, ...checked}
}

async function ask(name: string, run: (...args: unknown[]) => unknown, args: readonly unknown[]): Promise<unknown> {
  const signal = check(name, args)
  try {
    return await run(...args)
  } catch (error) {
    throw translate(error, signal)
  }
}

async function* iterate(
  name: string,
  run: (...args: unknown[]) => AsyncIterable<unknown>,
  args: readonly unknown[],
): AsyncGenerator {
  const signal = check(name, args)
  try {
    yield* run(...args)
  } catch (error) {
    throw translate(error, signal)
  }
}

function check(name: string, args: readonly unknown[]): AbortSignal {
  if (PLACED.has(name)) checkTarget(args[0])
  if (name === 'mintTicket') checkTicketWish(args[1])
  const call = name === 'list' ? args[1] : args.at(-1)
  checkCall(call, name)
  return call.signal
}

function translate(error: unknown, signal: AbortSignal): Failure {
  return signal.aborted && !isFailure(error) ? interruption(signal) : asFailure(error)
}
