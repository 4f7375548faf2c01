import {createHash, createHmac, timingSafeEqual} from 'node:crypto'

/** Who may sign, and for where. */
export interface Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** The `DATE/REGION/s3/aws4_request` of a signature, with the key derived for it. */
export interface Scope {
  readonly text: string
  readonly key: Buffer
}

export const EMPTY_SHA256 = sha256('')

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
export function openScope(identity: Identity, date: string): Scope {
  const {region, secretAccessKey} = identity
  const key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, date), region), 's3'), 'aws4_request')
  return {text: `${date}/${region}/s3/aws4_request`, key}
}

export function sign(scope: Scope, text: string): string {
  return hmac(scope.key, text).toString('hex')
}

/** True when the two are equal; takes the same time wherever they differ. */
export function isSameSignature(ours: string, theirs: string): boolean {
  const [first, second] = [Buffer.from(ours), Buffer.from(theirs)]
  return first.length === second.length && timingSafeEqual(first, second)
}
