import {Failure, isFailure} from './failure.ts'
import {MOST_CONCURRENCY} from './slots.ts'
import type {Target} from './target.ts'

/*
 * What another program gives is looked at once, where it comes in: not every caller has types. Values are never told, for
 * keys may be among them.
 */

type Fields = Readonly<Record<string, unknown>>

function want(isRight: boolean, name: string, wanted: string, value: unknown): void {
  if (!isRight) throw new Failure('usage', `${name} is ${wanted}, and not ${describe(value)}.`)
}

function describe(value: unknown): string {
  if (value === '') return 'an empty one'
  if (value === null || value === undefined || typeof value === 'number') return String(value)
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wantOptional(fields: Fields, names: readonly string[], type: string, wanted: string): void {
  for (const name of names) {
    const value = fields[name]
    want(value === undefined || (typeof value === type && value !== null), name, wanted, value)
  }
}

/** Fails `usage` for what is no text. */
export function checkText(value: unknown, name: string): void {
  want(typeof value === 'string' && value !== '', name, 'a text', value)
}

/** Fails `usage` for what is no place of a store. */
export function checkTarget(target: unknown): asserts target is Target {
  want(isFields(target), 'A target', 'a text such as s3://container/key, or its three parts', target)
  for (const name of ['remote', 'container', 'key']) {
    const value: unknown = Reflect.get(target as object, name)
    want(typeof value === 'string', `The ${name} of the target`, 'a text', value)
  }
}

/** Fails `usage` for a target that does not name one object. */
export function checkObject({key}: Target): void {
  if (key !== '' && !key.endsWith('/')) return
  throw new Failure('usage', 'A key is needed: the library does not take it from the name of the file.')
}

/** Fails `usage` for options that are none: of those that are given, the type; of numbers the range. */
export function checkOptions(options: unknown): void {
  want(isFields(options), 'What is said of the store', 'an object', options)
  const fields = options as Fields
  checkConnection(fields)
  wantOptional(fields, ['stateFolder'], 'string', 'a text')
  wantOptional(fields, ['tls', 'object'], 'object', 'an object')
  wantOptional(fields, ['onEvent'], 'function', 'a function')
  const {signal, concurrency = 1, retryFor = 0} = fields
  want(signal === undefined || isSignal(signal), 'signal', 'an AbortSignal', signal)
  const isCount = Number.isSafeInteger(concurrency) && Number(concurrency) >= 1
  const counts = `a whole number from 1 to ${MOST_CONCURRENCY}`
  want(isCount && Number(concurrency) <= MOST_CONCURRENCY, 'concurrency', counts, concurrency)
  want(typeof retryFor === 'number' && retryFor >= 0, 'retryFor', 'a time in milliseconds', retryFor)
}

function checkConnection(fields: Fields): void {
  wantOptional(fields, ['endpointUrl', 'region', 'profile', 'cloud'], 'string', 'a text')
  wantOptional(fields, ['auth'], 'object', 'an object')
  const {keys} = fields
  want(keys === undefined || typeof keys === 'function' || isFields(keys), 'keys', 'an object or a function', keys)
}

/** Fails `usage` for what is neither a name nor a description, `config` for a store that nobody knows. */
export function checkRemote(remote: unknown): void {
  want(typeof remote === 'string' || isFields(remote), 'A remote', 's3, swift, or {provider, name, …}', remote)
  const provider = typeof remote === 'string' ? remote : (remote as Fields)['provider']
  if (provider !== 's3' && provider !== 'swift') {
    const name = typeof provider === 'string' ? `"${provider}"` : describe(provider)
    throw new Failure('config', `The library knows s3 and swift, and not ${name}.`, {
      suggestion: "Describe another store as {provider: 's3', name, endpointUrl, …}.",
    })
  }
  if (typeof remote === 'string') return
  checkConnection(remote as Fields)
  checkText((remote as Fields)['name'], 'The name of the remote')
}

/** Fails `usage` for a ticket that cannot be, before anything is begun. */
export function checkTicketWish(wish: unknown): void {
  want(isFields(wish), 'What is wished of a ticket', '{size, contentType, expiresIn}', wish)
  const {size, contentType, expiresIn} = wish as Fields
  want(isFields(size) && ('max' in size || 'exact' in size), 'size', '{max} or {exact}', size)
  const [name, least] = 'exact' in (size as Fields) ? (['exact', 0] as const) : (['max', 1] as const)
  const bytes = (size as Fields)[name]
  const isSize = Number.isSafeInteger(bytes) && Number(bytes) >= least
  want(isSize, `size.${name}`, `a whole number of bytes from ${least} on`, bytes)
  want(typeof contentType === 'string', 'contentType', 'a text', contentType)
  const isTime = typeof expiresIn === 'number' && Number.isFinite(expiresIn) && expiresIn > 0
  want(isTime, 'expiresIn', 'a time in milliseconds', expiresIn)
  wantOptional(wish as Fields, ['filename'], 'string', 'a text')
}

/** Fails `usage` for a call without a signal. */
export function checkCall(call: unknown, verb: string): asserts call is {readonly signal: AbortSignal} {
  want(isFields(call) && isSignal(call['signal']), `The call of ${verb}`, '{signal}, with an AbortSignal', call)
}

function isSignal(value: unknown): value is AbortSignal {
  // By its looks: another realm has a class of its own.
  return typeof (value as AbortSignal | null | undefined)?.throwIfAborted === 'function'
}

/** Whoever aborts without a reason of ours has interrupted it; that is no bug. */
export function interruption({reason}: AbortSignal): Failure {
  return isFailure(reason) ? reason : new Failure('interrupted', 'Interrupted.', {cause: reason})
}
