import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {formatCrc32} from '../../src/core/crc32.ts'
import {Failure} from '../../src/core/failure.ts'
import type {
  Call,
  Limits,
  ObjectOptions,
  Part,
  PartReceipt,
  Session,
  StoredObject,
  Target,
} from '../../src/stores/store.ts'
import {sendBody, sendChecked, untilAborted} from './memory-body.ts'
import {
  byKey,
  checkPart,
  checkPlan,
  checkReceipts,
  checkTarget,
  compareKeys,
  contextOf,
  infoOf,
  isUnder,
  LIMITS,
  nameOf,
} from './memory-rules.ts'
import type {
  MemoryCall,
  MemoryHook,
  MemoryObject,
  MemoryStore,
  MemoryStoreOptions,
  MemoryUpload,
  MemoryVerb,
} from './memory-types.ts'

export type {
  MemoryCall,
  MemoryHook,
  MemoryObject,
  MemoryStore,
  MemoryStoreOptions,
  MemoryUpload,
  MemoryVerb,
} from './memory-types.ts'

/** A hook that fails the calls of a verb with these numbers, or every one, in a way that is worth trying again. */
export function failNth(verb: MemoryVerb, ...nths: number[]): MemoryHook {
  return call => {
    if (call.verb !== verb || (nths.length > 0 && !nths.includes(call.nth))) return
    throw new Failure('network', `Call ${call.nth} of ${verb} was cut.`, {retryable: true})
  }
}

/**
 * A store in memory that keeps every promise of `stores/store`, and holds its caller to them: a call that breaks the
 * contract (a part that does not fit its plan, receipts out of order) fails `unexpected`. It never tries again.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const limits: Limits = {...LIMITS, ...options.limits}
  if (options.wholeOnly === true) delete (limits as {part?: unknown}).part
  const checksum = options.checksum ?? 'crc32'
  const objects = new Map<string, MemoryObject>()
  const uploads = new Map<string, MemoryUpload>()
  const calls: MemoryCall[] = []
  let begun = 0

  /** Runs one call between its hooks. */
  async function run<T>(about: Omit<MemoryCall, 'nth'>, {signal}: Call, effect: () => T | Promise<T>): Promise<T> {
    const seen = {...about, nth: calls.filter(({verb}) => verb === about.verb).length + 1}
    calls.push(seen)
    signal.throwIfAborted()
    await untilAborted(options.before?.(seen, signal), signal)
    if (about.target !== undefined) checkTarget(about.target, limits, options.containers)
    const result = await effect()
    await untilAborted(options.after?.(seen, signal), signal)
    return result
  }

  function checkClobber(target: Target, {noClobber}: ObjectOptions): void {
    if (noClobber !== true || !objects.has(nameOf(target))) return
    throw new Failure('exists', `There is already "${nameOf(target)}".`, {context: contextOf(target)})
  }

  function store(object: MemoryObject): StoredObject {
    const {target, bytes, etag, options: given} = object
    const name = nameOf(target)
    checkClobber(target, given)
    objects.set(name, object)
    return {
      target,
      size: bytes.length,
      etag,
      crc32: object.crc32,
      ...(object.uploadId === undefined ? {md5: etag} : {}),
      verified: options.verified ?? {by: checksum},
    }
  }

  function findUpload({target, uploadId}: Session): MemoryUpload {
    const upload = uploads.get(uploadId)
    if (upload !== undefined && nameOf(upload.session.target) === nameOf(target)) return upload
    throw new Failure('not-found', `The store has forgotten the upload of "${nameOf(target)}".`, {
      context: contextOf(target),
    })
  }

  function findObject(target: Target): MemoryObject {
    const object = objects.get(nameOf(target))
    if (object !== undefined) return object
    throw new Failure('not-found', `There is no object "${nameOf(target)}".`, {context: contextOf(target)})
  }

  function keepPart(session: Session, part: Part, bytes: Buffer): PartReceipt {
    const receipt = {number: part.number, size: part.size, etag: md5(bytes), crc32: formatCrc32(crc32(bytes))}
    // Looked up again: it may have been aborted while the bytes were on their way.
    findUpload(session).parts.set(part.number, {receipt, bytes})
    return receipt
  }

  function join(session: Session, receipts: readonly PartReceipt[]): StoredObject {
    const {target, uploadId} = session
    const known = objects.get(nameOf(target))
    if (!uploads.has(uploadId) && known?.uploadId === uploadId) {
      return {
        target,
        size: known.bytes.length,
        etag: known.etag,
        crc32: known.crc32,
        verified: options.verified ?? {by: checksum},
      }
    }
    const upload = findUpload(session)
    checkReceipts(session, receipts, limits, upload.session.size < 0)
    const parts = receipts.map(({number, etag}) => {
      const part = upload.parts.get(number)
      if (part?.receipt.etag === etag) return part
      throw new Failure('integrity', `The store misses part ${number} of "${nameOf(target)}".`, {
        context: {...contextOf(target), part: number},
      })
    })
    const bytes = Buffer.concat(parts.map(part => part.bytes))
    const etags = Buffer.from(parts.map(part => part.receipt.etag).join(''), 'hex')
    const stored = store({
      target,
      bytes,
      options: upload.session.options,
      etag: `${md5(etags)}-${parts.length}`,
      crc32: formatCrc32(crc32(bytes)),
      modified: new Date(),
      uploadId,
      parts: parts.length,
    })
    uploads.delete(uploadId)
    return stored
  }

  return {
    objects,
    uploads,
    calls,

    endpoint: 'memory',
    limits: call => run({verb: 'limits'}, call, () => limits),

    putWhole: (target, body, given, call) =>
      run({verb: 'putWhole', target}, call, async () => {
        if (body.size > limits.whole) throw new Failure('too-large', 'The body is larger than one PUT may be.')
        const bytes = await sendChecked(body, call)
        const sums = {etag: md5(bytes), crc32: formatCrc32(crc32(bytes))}
        return store({target, bytes, options: given, ...sums, modified: new Date()})
      }),

    begin: (target, given, plan, call) =>
      run({verb: 'begin', target}, call, () => {
        checkPlan(plan, limits)
        checkClobber(target, given)
        const {size, partSize} = plan
        const uploadId = `upload-${++begun}`
        const session: Session = {target, uploadId, options: given, size, partSize, checksum}
        uploads.set(uploadId, {session, started: new Date(), parts: new Map()})
        return session
      }),

    putPart: (session, part, body, call) =>
      run({verb: 'putPart', ...aboutOf(session), part: part.number}, call, async () => {
        findUpload(session)
        checkPart(session, part, body, limits)
        const bytes = await (session.checksum === 'crc32' ? sendChecked : sendBody)(body, call)
        return keepPart(session, part, bytes)
      }),

    listParts: (session, call) =>
      run({verb: 'listParts', ...aboutOf(session)}, call, () =>
        [...findUpload(session).parts.values()]
          .map(({receipt}) => ({...receipt, crc32: ''}))
          .toSorted((a, b) => a.number - b.number),
      ),

    complete: (session, receipts, call) =>
      run({verb: 'complete', ...aboutOf(session)}, call, () => join(session, receipts)),

    abort: (session, call) =>
      run({verb: 'abort', ...aboutOf(session)}, call, () => void uploads.delete(session.uploadId)),

    compare: (target, body, _hint, call) =>
      run({verb: 'compare', target}, call, async () => {
        const {bytes} = findObject(target)
        const ours = Buffer.alloc(body.size)
        for (let at = 0; at < body.size;) at += await body.read(ours.subarray(at), at)
        if (!ours.equals(bytes)) throw new Failure('integrity', 'The bytes differ.', {context: contextOf(target)})
        return {info: infoOf(findObject(target)), by: 'crc32' as const}
      }),

    head: (target, call) => run({verb: 'head', target}, call, () => infoOf(findObject(target))),

    read: (target, range, onBytes, call) =>
      run({verb: 'read', target}, call, async () => {
        const object = findObject(target)
        const {bytes} = object
        const end = range === undefined ? bytes.length : range.offset + range.size
        const wanted = bytes.subarray(range?.offset ?? 0, end)
        for (let at = 0; at < wanted.length; at += 64 * 1024) {
          call.signal.throwIfAborted()
          await onBytes(wanted.subarray(at, at + 64 * 1024))
        }
        return infoOf(object)
      }),

    async *list(prefix, call, after) {
      const found = await run({verb: 'list', target: {...prefix, key: ''}}, call, () =>
        [...objects.values()].filter(({target}) => isUnder(target, prefix)).toSorted(byKey),
      )
      for (const object of found) {
        call.signal.throwIfAborted()
        if (after === undefined || compareKeys(object.target.key, after) > 0) yield infoOf(object)
      }
    },

    deleteObject: (target, call) =>
      run({verb: 'deleteObject', target}, call, () => void objects.delete(nameOf(target))),

    async *listUploads(prefix, call) {
      const found = await run({verb: 'listUploads', target: {...prefix, key: ''}}, call, () =>
        [...uploads.values()].map(({session, started}) => ({
          target: session.target,
          uploadId: session.uploadId,
          started,
        })),
      )
      yield* found.filter(({target}) => isUnder(target, prefix)).toSorted(byKey)
    },
  }
}

function aboutOf({target, uploadId}: Session): {target: Target; uploadId: string} {
  return {target, uploadId}
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}
