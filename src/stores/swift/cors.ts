import type {IncomingHttpHeaders} from 'node:http'
import {Failure} from '../../core/failure.ts'
import type {Call, CorsRule, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'

const PREFIX = 'x-container-meta-access-control-'
const NAMES = ['allow-origin', 'max-age', 'expose-headers', 'allow-headers', 'allow-methods']
/** What a preflight is answered, whatever a container says. */
const METHODS = ['HEAD', 'PUT', 'GET', 'OPTIONS', 'POST', 'DELETE', 'COPY']

/** Reads the one rule that a container of Swift can have. */
export function readCors(headers: IncomingHttpHeaders): CorsRule[] {
  const words = (name: string): string[] =>
    String(headers[PREFIX + name] ?? '')
      .split(/[\s,]+/u)
      .filter(Boolean)
  const [maxAge] = words('max-age')
  const origins = words('allow-origin')
  if (origins.length === 0) return []
  return [
    {
      origins,
      methods: METHODS,
      headers: ['*'],
      expose: words('expose-headers'),
      ...(/^\d{1,15}$/u.test(maxAge ?? '') ? {maxAgeInSeconds: Number(maxAge)} : {}),
    },
  ]
}

export async function getCors(connection: SwiftConnection, target: Target, {signal}: Call): Promise<CorsRule[]> {
  return readCors((await connection.request({method: 'HEAD', target: {...target, key: ''}}, {signal})).headers)
}

// https://docs.openstack.org/swift/latest/cors.html
/** Replaces the rule of the container, whoever made it, and tells what Swift does not heed. Fails `unsupported`. */
export async function setCors(
  connection: SwiftConnection,
  target: Target,
  rules: readonly CorsRule[],
  call: Call,
): Promise<readonly string[]> {
  const origins = union(rules, rule => rule.origins)
  const pattern = origins.find(origin => origin.includes('*') && origin !== '*')
  if (pattern !== undefined) {
    throw new Failure('unsupported', `Swift compares origins letter by letter: "${pattern}" would fit none.`, {
      suggestion: 'Name each origin in full, or take * for all.',
    })
  }
  const before = await getCors(connection, target, call)
  const ages = rules.flatMap(rule => rule.maxAgeInSeconds ?? [])
  const headers = {
    [`${PREFIX}allow-origin`]: origins.join(' '),
    [`${PREFIX}expose-headers`]: union(rules, rule => rule.expose).join(' '),
    [`${PREFIX}max-age`]: ages.length === 0 ? '' : String(Math.min(...ages)),
  }
  await connection.request({method: 'POST', target: {...target, key: ''}, headers}, {signal: call.signal})
  const gone = before.flatMap(rule => rule.origins).filter(origin => !origins.includes(origin))
  return [
    ...ignored(rules),
    ...(gone.length > 0 ? [`The origins that were allowed before are gone: ${gone.join(' ')}.`] : []),
  ]
}

/** Adds to the rule of the container, whoever made it. Fails `unsupported`. */
export async function addCors(
  connection: SwiftConnection,
  target: Target,
  {rule, isWanted}: {readonly rule: CorsRule; readonly isWanted: (origin: string) => boolean},
  call: Call,
): Promise<readonly string[]> {
  const before = await getCors(connection, target, call)
  const origins = union(
    [rule, ...before.map(each => ({...each, origins: each.origins.filter(isWanted)}))],
    each => each.origins,
  )
  const expose = union([rule, ...before], each => each.expose)
  return setCors(connection, target, [{...rule, origins, expose}], call)
}

/** Removes the rule. None there already is success. */
export async function clearCors(connection: SwiftConnection, target: Target, {signal}: Call): Promise<void> {
  const headers = Object.fromEntries(NAMES.map(name => [`x-remove-container-meta-access-control-${name}`, 'x']))
  await connection.request({method: 'POST', target: {...target, key: ''}, headers}, {signal})
}

function ignored(rules: readonly CorsRule[]): string[] {
  const methods = union(rules, rule => rule.methods)
  const headers = union(rules, rule => rule.headers).filter(each => each !== '*')
  return [
    ...(methods.length > 0 && !METHODS.every(each => methods.includes(each))
      ? ['Swift does not limit methods by CORS: an allowed origin may ask for all of them.']
      : []),
    ...(headers.length > 0 ? ['Swift does not limit headers by CORS: an allowed origin may send any.'] : []),
    ...(rules.length > 1 ? ['Swift has one CORS rule for a container: these were joined into one.'] : []),
  ]
}

function union(rules: readonly CorsRule[], read: (rule: CorsRule) => readonly string[]): string[] {
  return [...new Set(rules.flatMap(rule => [...read(rule)]))]
}
