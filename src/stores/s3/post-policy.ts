import {createHmac} from 'node:crypto'
import type {Identity} from './client.ts'
import type {Lifetime} from './lifetime.ts'

export interface FormRequest {
  readonly container: string
  readonly key: string
  readonly min: number
  readonly max: number
  /** Each must be sent exactly so. */
  readonly fields: Readonly<Record<string, string>>
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
/** Returns all fields of a form that uploads one object, in the order in which they must stand before the file. */
export function signForm(request: FormRequest, identity: Identity, lifetime: Lifetime): Record<string, string> {
  const {credentials, region} = identity
  const date = lifetime.start.toISOString().replaceAll(/[-:]|\.\d{3}/gu, '')
  const scope = [date.slice(0, 8), region, 's3', 'aws4_request']
  const fields = {
    key: request.key,
    ...request.fields,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': [credentials.accessKeyId, ...scope].join('/'),
    'x-amz-date': date,
    ...(credentials.sessionToken === undefined ? {} : {'x-amz-security-token': credentials.sessionToken}),
  }
  const policy = {
    expiration: lifetime.end.toISOString(),
    conditions: [
      {bucket: request.container},
      ['content-length-range', request.min, request.max],
      ...Object.entries(fields).map(([name, value]) => ['eq', `$${name}`, value]),
    ],
  }
  const text = Buffer.from(JSON.stringify(policy)).toString('base64')
  const secret: Buffer = Buffer.from(`AWS4${credentials.secretAccessKey}`)
  const signingKey = scope.reduce((key, step) => hmac(key, step), secret)
  return {...fields, policy: text, 'x-amz-signature': hmac(signingKey, text).toString('hex')}
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
