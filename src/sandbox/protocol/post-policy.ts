import {S3Error} from './errors.ts'
import {checkCredential} from './signature.ts'
import {isSameSignature, sign} from './signing.ts'
import type {Identity} from './signing.ts'

/** How many bytes the file of a form may have. */
export interface SizeRange {
  readonly min: number
  readonly max: number
}

type Condition = readonly unknown[] | Readonly<Record<string, unknown>>

/** Fields that the policy need not name. */
const FREE = /^(?:x-amz-signature|file|policy|x-ignore-.*)$/u

function deny(why: string): never {
  throw new S3Error('AccessDenied', `Invalid according to Policy: ${why}`)
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
/** Checks a form's signature, and its fields against the policy it carries; fails `AccessDenied`. */
export function checkPostPolicy(fields: ReadonlyMap<string, string>, identity: Identity, now: number): SizeRange {
  const policy = fields.get('policy')
  if (policy === undefined) throw new S3Error('AccessDenied')
  checkSignature(policy, fields, identity)
  const {expiration, conditions} = parsePolicy(policy)
  const end = Date.parse(expiration)
  if (Number.isNaN(end)) throw new S3Error('InvalidPolicyDocument', "Invalid Policy: Invalid 'expiration' value.")
  if (now > end) deny('Policy expired.')
  const named = new Set<string>()
  let range: SizeRange = {min: 0, max: Number.MAX_SAFE_INTEGER}
  for (const [operator, name, value] of conditions.flatMap(readCondition)) {
    if (operator === 'content-length-range') {
      range = {min: Math.max(range.min, Number(name)), max: Math.min(range.max, Number(value))}
      continue
    }
    const field = name.replace(/^\$/u, '').toLowerCase()
    named.add(field)
    const actual = fields.get(field) ?? ''
    const holds = operator === 'eq' ? actual === value : actual.startsWith(value)
    if (!holds) deny(`Policy Condition failed: ["${operator}", "$${field}", "${value}"]`)
  }
  const extra = [...fields.keys()].filter(field => !FREE.test(field) && field !== 'bucket' && !named.has(field))
  if (extra.length > 0) deny(`Extra input fields: ${extra.join(', ')}`)
  return range
}

function checkSignature(policy: string, fields: ReadonlyMap<string, string>, identity: Identity): void {
  const read = (name: string) => fields.get(`x-amz-${name}`) ?? ''
  if (read('algorithm') !== 'AWS4-HMAC-SHA256') {
    throw new S3Error(
      'InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    )
  }
  const scope = checkCredential({credential: read('credential'), date: read('date'), presigned: false}, identity)
  if (!isSameSignature(sign(scope, policy), read('signature'))) {
    throw new S3Error('SignatureDoesNotMatch', undefined, {AWSAccessKeyId: identity.accessKeyId, StringToSign: policy})
  }
}

function parsePolicy(policy: string): {expiration: string; conditions: Condition[]} {
  try {
    const {expiration, conditions} = JSON.parse(Buffer.from(policy, 'base64').toString('utf8')) as Record<
      string,
      unknown
    >
    if (typeof expiration === 'string' && Array.isArray(conditions))
      return {expiration, conditions: conditions as Condition[]}
  } catch {
    // Falls through: what is no JSON is as wrong as what has no conditions.
  }
  throw new S3Error('InvalidPolicyDocument', 'Invalid Policy: Invalid JSON.')
}

function readCondition(condition: Condition): (readonly [operator: string, name: string, value: string])[] {
  const invalid = () => new S3Error('InvalidPolicyDocument', 'Invalid Policy: Invalid Condition.')
  if (typeof condition !== 'object' || condition === null) throw invalid()
  if (!Array.isArray(condition)) return Object.entries(condition).map(([name, value]) => ['eq', name, String(value)])
  const [operator, name, value] = condition.map(String)
  const known = /^(?:eq|starts-with|content-length-range)$/u.test(operator?.toLowerCase() ?? '')
  if (!known || operator === undefined || name === undefined || value === undefined || condition.length !== 3)
    throw invalid()
  if (operator.toLowerCase() === 'content-length-range' && !(Number(name) >= 0 && Number(value) >= 0)) throw invalid()
  return [[operator.toLowerCase(), name, value]]
}
