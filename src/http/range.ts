import {Failure} from '../core/failure.ts'
import type {Answer} from './send.ts'

interface Range {
  readonly offset: number
  readonly size: number
}

export function rangeHeaders(range: Range | undefined): Record<string, string> {
  return range === undefined ? {} : {range: `bytes=${range.offset}-${range.offset + range.size - 1}`}
}

/** Fails `unsupported` unless the bytes of an answer are those that were asked for: a server may pass over a range. */
export function checkRange(range: Range | undefined, {status, headers}: Pick<Answer, 'status' | 'headers'>): void {
  if (range === undefined) return
  const first = /^bytes (\d+)-/u.exec(headers['content-range'] ?? '')?.[1]
  const isPart = status === 206 && (first === undefined || Number(first) === range.offset)
  const isAll = status === 200 && range.offset === 0 && headers['content-length'] === String(range.size)
  if (isPart || isAll) return
  throw new Failure('unsupported', 'The store sends the whole object where a part of it was asked for.')
}
