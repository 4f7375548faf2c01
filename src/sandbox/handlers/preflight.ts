import type {Answer} from '../protocol/answer.ts'
import {corsHeaders, findCorsRule, parseCors} from '../protocol/cors.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House} from '../protocol/handler.ts'
import type {Address, Headers} from '../protocol/request.ts'

/** Answers a browser's OPTIONS by the bucket's rules; needs no signature. Fails `AccessForbidden`. */
export function answerPreflight(address: Address, headers: Headers, house: House): Answer {
  const [origin, method] = [headers.get('origin'), headers.get('access-control-request-method')]
  if (!origin) throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.')
  if (!method || !/^(?:GET|PUT|POST|DELETE|HEAD)$/u.test(method)) {
    throw new S3Error('BadRequest', `Invalid Access-Control-Request-Method: ${method ?? 'null'}`)
  }
  const text = house.storage.buckets.get(address.bucket)?.record.documents['cors']
  const details = {Method: method, ResourceType: address.key === '' ? 'BUCKET' : 'OBJECT'}
  if (text === undefined)
    throw new S3Error('AccessForbidden', 'CORSResponse: CORS is not enabled for this bucket.', details)
  const asked = (headers.get('access-control-request-headers') ?? '').split(',').map(name => name.trim())
  const question = {origin, method, headers: asked.filter(name => name !== '')}
  const rule = findCorsRule(parseCors(text), question)
  if (rule === undefined) {
    throw new S3Error(
      'AccessForbidden',
      "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      details,
    )
  }
  // https://wicg.github.io/private-network-access/: a page from the internet asks before it speaks to this machine.
  const isPrivate = headers.get('access-control-request-private-network') === 'true'
  return {
    status: 200,
    headers: {...corsHeaders(rule, question, true), ...(isPrivate && {'access-control-allow-private-network': 'true'})},
  }
}

/** The CORS headers of an actual answer; none where the request has no origin or no rule allows it. */
export function actualCorsHeaders(address: Address, headers: Headers, house: House): Record<string, string> {
  const text = house.storage.buckets.get(address.bucket)?.record.documents['cors']
  const origin = headers.get('origin')
  if (text === undefined || !origin) return {}
  const question = {origin, method: address.method, headers: []}
  const rule = findCorsRule(parseCors(text), question)
  return rule === undefined ? {} : corsHeaders(rule, question, false)
}
