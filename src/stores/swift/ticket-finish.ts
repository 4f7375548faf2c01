import {Failure} from '../../core/failure.ts'
import {formatSize} from '../../core/sizes.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Call, PartReceipt, Session, StoredObject, UploadStore} from '../store.ts'
import type {SwiftPartsTicket} from '../ticket/ticket.ts'
import type {SwiftConnection} from './client.ts'
import {manifestEtag, readManifest} from './manifest.ts'
import {deleteAll, MARKER, parsePath, parseSegment, segmentTarget} from './segments.ts'

/** The list of segments as whoever holds the ticket left it. */
export function doneTarget({parts: {container, prefix}}: SwiftPartsTicket): {container: string; key: string} {
  return {container, key: `${prefix}done`}
}

/** Makes `finish`: the manifest of what was sent. Its list is somebody else's word; the store checks every line of it. */
export function createFinish(connection: SwiftConnection, upload: UploadStore) {
  async function readDone(ticket: SwiftPartsTicket, {signal}: Call): Promise<readonly PartReceipt[] | undefined> {
    const answer = await connection.request({method: 'GET', target: doneTarget(ticket), accepts: [404]}, {signal})
    return answer.status < 300 ? readReceipts(answer.text) : undefined
  }

  /** What stands at the key, where it is made of this upload's segments. */
  async function findFinished({target, parts}: SwiftPartsTicket, call: Call): Promise<StoredObject | undefined> {
    const receipts: PartReceipt[] = []
    for (const {name = '', bytes = 0, hash = ''} of (await readManifest(connection, target, call)) ?? []) {
      const {container, key} = parsePath(name)
      const segment = container === parts.container ? parseSegment(key) : undefined
      if (segment?.prefix !== parts.prefix) return undefined
      receipts.push({number: segment.number, size: bytes, etag: hash, crc32: ''})
    }
    if (receipts.length === 0) return undefined
    return {target, size: sumOf(receipts), etag: manifestEtag(receipts), verified: {by: 'md5'}}
  }

  async function unfinished(session: Session, call: Call): Promise<Failure> {
    const held = await upload.listParts(session, call)
    const parts = `${held.length} ${held.length === 1 ? 'part' : 'parts'} (${formatSize(sumOf(held))})`
    return new Failure('busy', `Not everything has been sent: ${parts} so far.`, {
      suggestion: 'Run it again when whoever has the ticket says that the upload is done.',
    })
  }

  return async function finish(ticket: SwiftPartsTicket, session: Session, call: Call): Promise<StoredObject> {
    const {target, contentType, parts} = ticket
    const receipts = await readDone(ticket, call)
    if (receipts === undefined) {
      const finished = await findFinished(ticket, call)
      if (finished !== undefined) return finished
      throw await unfinished(session, call)
    }
    const size = sumOf(receipts)
    checkSize(ticket, size)
    let stored: StoredObject
    if (size > 0) stored = await upload.complete({...session, size}, receipts, call)
    else {
      // Not every cluster takes a segment without a byte.
      stored = await upload.putWhole(target, bufferBody(Buffer.alloc(0)), {contentType}, call)
      await deleteAll(
        connection,
        [1, MARKER].map(number => segmentTarget(parts, number)),
        call,
      )
    }
    await deleteAll(connection, [doneTarget(ticket)], call)
    return stored
  }
}

function sumOf(receipts: readonly PartReceipt[]): number {
  return receipts.reduce((sum, {size}) => sum + size, 0)
}

/** What no store enforces for the sender, the owner does. */
function checkSize({size, target: {container, key}}: SwiftPartsTicket, sent: number): void {
  const isRight = 'exact' in size ? sent === size.exact : sent <= size.max
  if (isRight) return
  const allowed = 'exact' in size ? `exactly ${size.exact} bytes` : `at most ${formatSize(size.max)}`
  throw new Failure('too-large', `The ticket is for ${allowed}, and ${sent} bytes were sent.`, {
    context: {container, key},
    suggestion: 'Drop them with: skylift ticket revoke FILE',
  })
}

/** Fails `integrity` for a list that is none. */
function readReceipts(text: string): readonly PartReceipt[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    // Told below.
  }
  const receipts = Array.isArray(list) ? list.map((each: unknown, index) => readReceipt(each, index + 1)) : [undefined]
  const known = receipts.filter(each => each !== undefined)
  if (known.length === receipts.length && known.length > 0) return known
  throw new Failure('integrity', 'The list of parts that was left is damaged.', {
    suggestion: 'Drop what was sent (skylift ticket revoke FILE), and make another ticket.',
  })
}

function readReceipt(value: unknown, number: number): PartReceipt | undefined {
  const {number: theirs, size, etag} = (value ?? {}) as Record<string, unknown>
  const isRight = theirs === number && Number.isSafeInteger(size) && Number(size) >= 0
  return isRight && typeof etag === 'string' && /^[\da-f]{32}$/u.test(etag)
    ? {number, size: Number(size), etag, crc32: ''}
    : undefined
}
