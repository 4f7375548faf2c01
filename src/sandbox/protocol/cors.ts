import {childText} from '../../core/xml.ts'
import type {XmlElement} from '../../core/xml.ts'
import {readXml} from './documents.ts'
import {S3Error} from './errors.ts'
import {fitsPattern} from './wildcards.ts'

export interface CorsRule {
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly expose: readonly string[]
  readonly maxAgeInSeconds: string | undefined
}

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD'])
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'

/** Reads a CORS document; fails `MalformedXML` and `InvalidRequest` as S3 does. */
export function parseCors(text: string): CorsRule[] {
  const rules = readXml(text, 'CORSConfiguration').children.filter(each => each.name === 'CORSRule')
  if (rules.length === 0 || rules.length > 100) throw new S3Error('MalformedXML')
  return rules.map(parseRule)
}

function parseRule(rule: XmlElement): CorsRule {
  const all = (name: string) => rule.children.filter(each => each.name === name).map(each => each.text.trim())
  const [origins, methods, headers] = [all('AllowedOrigin'), all('AllowedMethod'), all('AllowedHeader')]
  if (origins.length === 0 || methods.length === 0) throw new S3Error('MalformedXML')
  const method = methods.find(each => !METHODS.has(each))
  if (method !== undefined) {
    throw new S3Error('InvalidRequest', `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`)
  }
  for (const [name, values] of [
    ['AllowedOrigin', origins],
    ['AllowedHeader', headers],
  ] as const) {
    const bad = values.find(value => value.split('*').length > 2)
    if (bad !== undefined) throw new S3Error('InvalidRequest', `${name} "${bad}" can not have more than one wildcard.`)
  }
  const expose = all('ExposeHeader')
  const wild = expose.find(value => value.includes('*'))
  if (wild !== undefined)
    throw new S3Error(
      'InvalidRequest',
      `ExposeHeader "${wild}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
    )
  return {origins, methods, headers, expose, maxAgeInSeconds: childText(rule, 'MaxAgeSeconds')?.trim()}
}

/** What a browser asks for: the method, and in a preflight the headers it wants to send. */
export interface CorsQuestion {
  readonly origin: string
  readonly method: string
  readonly headers: readonly string[]
}

/** Finds the first rule that allows it. */
export function findCorsRule(
  rules: readonly CorsRule[],
  {origin, method, headers}: CorsQuestion,
): CorsRule | undefined {
  return rules.find(
    rule =>
      rule.methods.includes(method) &&
      rule.origins.some(pattern => fitsPattern(pattern, origin)) &&
      headers.every(name => rule.headers.some(pattern => fitsPattern(pattern.toLowerCase(), name.toLowerCase()))),
  )
}

/** The headers of an answer that the rule allows. */
export function corsHeaders(
  rule: CorsRule,
  {origin, headers}: CorsQuestion,
  isPreflight: boolean,
): Record<string, string> {
  const isAnyone = rule.origins.includes('*')
  return {
    'access-control-allow-origin': isAnyone ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(isPreflight && headers.length > 0 && {'access-control-allow-headers': headers.join(', ').toLowerCase()}),
    ...(rule.expose.length > 0 && {'access-control-expose-headers': rule.expose.join(', ')}),
    ...(rule.maxAgeInSeconds && {'access-control-max-age': rule.maxAgeInSeconds}),
    ...(!isAnyone && {'access-control-allow-credentials': 'true'}),
    vary: VARY,
  }
}
