import {S3Error} from './errors.ts'
import {fitsPattern} from './wildcards.ts'

interface Statement {
  readonly Effect?: unknown
  readonly Principal?: unknown
  readonly Action?: unknown
  readonly Resource?: unknown
  readonly Condition?: unknown
  readonly [other: string]: unknown
}

/** Reads a bucket policy; fails `MalformedPolicy`. */
export function parsePolicy(text: string, bucket: string): readonly Statement[] {
  let policy: {Version?: unknown; Statement?: unknown}
  try {
    policy = JSON.parse(text) as typeof policy
  } catch {
    throw new S3Error('MalformedPolicy', "Policies must be valid JSON and the first byte must be '{'")
  }
  if (typeof policy !== 'object' || policy === null || policy.Statement === undefined) {
    throw new S3Error('MalformedPolicy', 'Missing required field Statement')
  }
  const statements = (Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement]) as Statement[]
  for (const statement of statements) {
    if (typeof statement !== 'object' || statement === null) throw new S3Error('MalformedPolicy')
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny')
      throw new S3Error('MalformedPolicy', `Invalid effect: ${String(statement.Effect)}`)
    const own = `arn:aws:s3:::${bucket}`
    if (!texts(statement.Resource).every(arn => arn === own || arn.startsWith(`${own}/`))) {
      throw new S3Error('MalformedPolicy', 'Policy has invalid resource')
    }
  }
  return statements
}

/** True when the policy lets everybody do that with a key, or with the bucket. What the sandbox does not understand never allows. */
export function allowsEveryone(policy: string, bucket: string, action: string, key?: string): boolean {
  const resource = `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`
  const applies = (statement: Statement) =>
    isEveryone(statement.Principal) &&
    texts(statement.Action).some(pattern => fitsPattern(pattern.toLowerCase(), action.toLowerCase(), true)) &&
    texts(statement.Resource).some(pattern => fitsPattern(pattern, resource, true))
  const statements = parsePolicy(policy, bucket)
  const isPlain = (statement: Statement) =>
    Object.keys(statement).every(name => /^(?:Sid|Effect|Principal|Action|Resource)$/u.test(name))
  const denies = (statement: Statement) => statement.Effect === 'Deny' && (!isPlain(statement) || applies(statement))
  return !statements.some(denies) && statements.some(each => each.Effect === 'Allow' && isPlain(each) && applies(each))
}

function isEveryone(principal: unknown): boolean {
  if (principal === '*') return true
  const aws = typeof principal === 'object' && principal !== null ? (principal as {AWS?: unknown}).AWS : undefined
  return texts(aws).includes('*')
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}
