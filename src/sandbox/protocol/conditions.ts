import {S3Error} from './errors.ts'
import type {Headers} from './request.ts'
import type {ObjectRecord} from '../storage/records.ts'

function matches(header: string, etag: string): boolean {
  return header
    .split(',')
    .some(each => each.trim() === '*' || each.trim().replace(/^W\//u, '').replaceAll('"', '') === etag)
}

/** Returns the check of a conditional write, `If-None-Match: *` or `If-Match`; it fails `PreconditionFailed`. */
export function writeCheck(headers: Headers): ((current: ObjectRecord | undefined) => void) | undefined {
  const none = headers.get('if-none-match')
  const match = headers.get('if-match')
  if (none === undefined && match === undefined) return undefined
  if (none !== undefined && none.trim() !== '*') {
    throw new S3Error('NotImplemented', 'A header you provided implies functionality that is not implemented', {
      Header: 'If-None-Match',
    })
  }
  return current => {
    if (none !== undefined && current !== undefined)
      throw new S3Error('PreconditionFailed', undefined, {Condition: 'If-None-Match'})
    if (match === undefined) return
    if (current === undefined) throw new S3Error('NoSuchKey')
    if (!matches(match, current.etag)) throw new S3Error('PreconditionFailed', undefined, {Condition: 'If-Match'})
  }
}

/** Returns `not-modified` for a read that need not be answered; fails `PreconditionFailed`. */
export function checkRead(headers: Headers, record: ObjectRecord, prefix = ''): 'not-modified' | undefined {
  const modified = Math.floor(record.modified / 1000) * 1000
  const time = (name: string) => Date.parse(headers.get(prefix + name) ?? '')
  const match = headers.get(`${prefix}if-match`)
  if (match !== undefined && !matches(match, record.etag))
    throw new S3Error('PreconditionFailed', undefined, {Condition: 'If-Match'})
  if (match === undefined && modified > time('if-unmodified-since')) {
    throw new S3Error('PreconditionFailed', undefined, {Condition: 'If-Unmodified-Since'})
  }
  const none = headers.get(`${prefix}if-none-match`)
  if (none === undefined ? modified <= time('if-modified-since') : matches(none, record.etag)) return 'not-modified'
  return undefined
}
