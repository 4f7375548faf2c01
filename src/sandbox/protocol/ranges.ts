import {S3Error} from './errors.ts'

export interface Range {
  readonly offset: number
  readonly size: number
}

/** Reads a Range header; undefined means all. One that cannot be satisfied fails `InvalidRange`. */
export function parseRange(header: string | undefined, size: number): Range | undefined {
  // As S3 does, answers several ranges, or what is none, with the whole object.
  const match = /^bytes=(\d*)-(\d*)$/u.exec(header?.trim() ?? '')
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  if (start >= size || end < start) {
    throw new S3Error('InvalidRange', undefined, {RangeRequested: header ?? '', ActualObjectSize: String(size)})
  }
  return {offset: start, size: end - start + 1}
}
