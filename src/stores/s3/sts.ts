import {hash} from 'node:crypto'
import {isFailure} from '../../core/failure.ts'
import {childText, child, parseXml} from '../../core/xml.ts'
import {send} from '../../http/send.ts'
import type {Wire} from '../../http/send.ts'
import type {Call} from '../store.ts'
import {encodeQuery, signHeaders} from './sign.ts'
import type {SignOptions} from './sign.ts'

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
/** Returns the ARN of whoever signs; everybody may ask that. Undefined where nobody answers, as in a closed network. */
export async function askSts(wire: Wire, options: SignOptions, {signal}: Call): Promise<string | undefined> {
  const ending = options.region.startsWith('cn-') ? '.cn' : ''
  const origin = `https://sts.${options.region}.amazonaws.com${ending}`
  const query = {Action: 'GetCallerIdentity', Version: '2011-06-15'}
  try {
    const unsigned = {method: 'GET', origin, path: '/', query, headers: {'x-amz-content-sha256': hash('sha256', '')}}
    const headers = signHeaders(unsigned, {...options, service: 'sts'})
    const path = `/?${encodeQuery(query)}`
    const {status, text} = await send(wire, {method: 'GET', origin, path, headers}, {signal})
    if (status !== 200) return undefined
    return childText(child(parseXml(text), 'GetCallerIdentityResult'), 'Arn')
  } catch (error) {
    if (!isFailure(error)) throw error
    return undefined
  }
}
