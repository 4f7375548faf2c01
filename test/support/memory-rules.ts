import {Failure} from '../../src/core/failure.ts'
import type {FailureContext} from '../../src/core/failure.ts'
import {GIB} from '../../src/core/sizes.ts'
import type {Body, Limits, ObjectInfo, Part, PartPlan, PartReceipt, Session, Target} from '../../src/stores/store.ts'
import type {MemoryObject} from './memory-types.ts'

/** What the store takes where it is not told otherwise. */
export const LIMITS: Limits = {
  whole: GIB,
  object: 10_000 * GIB,
  part: {min: 1, max: GIB, count: 10_000, equal: false},
  key: 1024,
}

/** What a caller did that `stores/store` forbids: a bug of the caller, never of the store. */
function contractBroken(what: string): Failure {
  return new Failure('unexpected', `The caller broke the contract: ${what}.`)
}

export function nameOf({container, key}: Target): string {
  return `${container}/${key}`
}

export function contextOf({container, key}: Target): FailureContext {
  return {container, key}
}

export function isUnder(target: Target, prefix: Target): boolean {
  return target.container === prefix.container && target.key.startsWith(prefix.key)
}

/** Orders keys as stores do, by the bytes of their UTF-8. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

export function checkTarget(target: Target, limits: Limits, containers: readonly string[] | undefined): void {
  if (Buffer.byteLength(target.key) > limits.key) {
    throw new Failure('usage', `The key is too long: ${limits.key} bytes of UTF-8 are allowed.`)
  }
  if (containers?.includes(target.container) === false) {
    throw new Failure('not-found', `There is no container "${target.container}".`, {context: contextOf(target)})
  }
}

export function checkPlan({size, partSize, count}: PartPlan, limits: Limits): void {
  if (limits.part === undefined) throw new Failure('unsupported', 'This store takes whole objects only.')
  if (size > limits.object) throw new Failure('too-large', 'The object is larger than the store allows.')
  if (count > limits.part.count) throw contractBroken(`${count} parts where ${limits.part.count} are allowed`)
  if (partSize < limits.part.min || partSize > limits.part.max) throw contractBroken(`parts of ${partSize} bytes`)
  // A size that nobody knows yet.
  if (size < 0) return
  if (count !== Math.max(1, Math.ceil(size / partSize))) {
    throw contractBroken(`${count} parts of ${partSize} bytes for ${size} bytes`)
  }
}

export function checkPart(session: Session, part: Part, body: Body, limits: Limits): void {
  const {number, offset, size} = part
  if (!Number.isInteger(number) || number < 1) throw contractBroken(`part number ${number}`)
  if (number > (limits.part?.count ?? 0)) throw contractBroken(`part number ${number} is above the limit`)
  const isOpen = session.size < 0
  if (!isOpen && offset !== (number - 1) * session.partSize) {
    throw contractBroken(`part ${number} at offset ${offset}`)
  }
  if (isOpen && size > (limits.part?.max ?? 0)) throw contractBroken(`part ${number} of ${size} bytes`)
  if (body.size !== size) throw contractBroken(`part ${number} of ${size} bytes with a body of ${body.size}`)
  if ((!isOpen && size > session.partSize) || (size === 0 && number > 1))
    throw contractBroken(`part ${number} has ${size} bytes`)
}

/** `isOpen`: the upload was begun without a size, so its parts may differ. */
export function checkReceipts(
  session: Session,
  receipts: readonly PartReceipt[],
  limits: Limits,
  isOpen: boolean,
): void {
  if (receipts.length === 0) throw contractBroken('complete without a receipt')
  for (const [index, {number, size, etag}] of receipts.entries()) {
    const isLast = index === receipts.length - 1
    if (number !== index + 1) throw contractBroken(`the receipt of part ${number} stands at place ${index + 1}`)
    if (etag === '' || etag.includes('"')) throw contractBroken(`the receipt of part ${number} has the ETag ${etag}`)
    const isEqual = !isOpen || limits.part?.equal === true
    if (!isLast && isEqual && size !== session.partSize) throw contractBroken(`part ${number} has ${size} bytes`)
    if (!isLast && size < (limits.part?.min ?? 0)) throw new Failure('usage', `Part ${number} is too small.`)
  }
  const size = receipts.reduce((sum, each) => sum + each.size, 0)
  if (size !== session.size) throw contractBroken(`receipts of ${size} bytes for an object of ${session.size}`)
}

export function byKey(a: {readonly target: Target}, b: {readonly target: Target}): number {
  return compareKeys(a.target.key, b.target.key)
}

/** What a look at an object tells. */
export function infoOf({target, bytes, options, etag, crc32, modified, parts}: MemoryObject): ObjectInfo {
  return {
    target,
    size: bytes.length,
    etag,
    modified,
    contentType: options.contentType ?? 'application/octet-stream',
    ...(options.contentDisposition === undefined ? {} : {contentDisposition: options.contentDisposition}),
    metadata: options.metadata ?? {},
    crc32,
    ...(parts === undefined ? {} : {parts}),
  }
}
