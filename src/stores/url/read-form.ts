import type {FieldRule, FormUrl} from './signed-url.ts'
import type {UrlPieces} from './cut-url.ts'
import {decodePath, refuse} from './cut-url.ts'

const HOW_TO_MAKE = 'Make one with: skylift temp-url TARGET --max-size SIZE --json'
/** Stands in a key for the name of the file. */
const NAME = '${filename}'

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
/** Reads a form of S3 and the policy in it. */
export function readForm(pieces: UrlPieces, fields: Readonly<Record<string, string>>): FormUrl {
  const {origin, scheme, host, path, query, headers} = pieces
  const named = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
  const key = named.get('key') ?? ''
  const policy = readPolicy(named.get('policy'))
  if (key === '') refuse('The form has no key.', HOW_TO_MAKE)
  const takesName = key.endsWith(NAME)
  const own = takesName ? key.slice(0, -NAME.length) : key
  if (own.includes(NAME)) refuse('The form puts the name of the file into the midst of a key.', HOW_TO_MAKE)
  const folder = decodePath(path).replaceAll(/^\/+|\/+$/gu, '')
  return {
    kind: 'form',
    origin,
    path,
    query,
    target: {remote: scheme, container: host, key: folder === '' ? own : `${folder}/${own}`, takesName},
    headers,
    fields,
    ...policy,
  }
}

function readPolicy(text: string | undefined): Pick<FormUrl, 'rules' | 'min' | 'max' | 'expires'> {
  if (text === undefined) refuse('The form has no policy.', HOW_TO_MAKE)
  const {expiration, conditions} = parsePolicy(text)
  let [min, max] = [0, Number.MAX_SAFE_INTEGER]
  const rules: FieldRule[] = []
  for (const condition of conditions) {
    if (!Array.isArray(condition)) {
      for (const [field, value] of Object.entries(condition as object)) {
        rules.push({field: field.toLowerCase(), isStart: false, value: String(value)})
      }
      continue
    }
    const [operator, first, second] = condition.map(String)
    if (operator?.toLowerCase() === 'content-length-range') {
      min = Math.max(min, Number(first) || 0)
      max = Math.min(max, Number(second) || 0)
    } else if (first !== undefined && second !== undefined) {
      const isStart = operator?.toLowerCase() === 'starts-with'
      rules.push({field: first.replace(/^\$/u, '').toLowerCase(), isStart, value: second})
    }
  }
  const end = Date.parse(expiration)
  return {rules, min, max, ...(Number.isNaN(end) ? {} : {expires: new Date(end)})}
}

function parsePolicy(text: string): {expiration: string; conditions: readonly unknown[]} {
  try {
    const policy: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
    const {expiration, conditions} = policy as Record<string, unknown>
    if (typeof expiration === 'string' && Array.isArray(conditions) && conditions.every(isCondition))
      return {expiration, conditions}
  } catch {
    // Told below.
  }
  return refuse('The policy of the form cannot be read.', HOW_TO_MAKE)
}

/** A list or a record of plain values. */
function isCondition(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && Object.values(value).every(each => typeof each !== 'object' || !each)
  )
}
