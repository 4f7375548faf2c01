import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {ObjectOptions, PartReceipt, Session, StoredObject, Target, UploadStore} from '../../../src/stores/store.ts'
import {newCall, partOf} from '../contract/bench.ts'

export function at(container: string, key = ''): Target {
  return {remote: 'test', container, key}
}

/** Begins an upload and sends all its parts. */
export async function sendParts(
  store: UploadStore,
  target: Target,
  pieces: readonly Uint8Array[],
  options: ObjectOptions = {},
): Promise<{session: Session; receipts: PartReceipt[]}> {
  const size = pieces.reduce((sum, each) => sum + each.length, 0)
  const plan = {size, partSize: pieces[0]?.length ?? 1, count: pieces.length}
  const session = await store.begin(target, options, plan, newCall())
  const receipts: PartReceipt[] = []
  for (const [index, bytes] of pieces.entries()) {
    const body = bufferBody(bytes)
    receipts.push(await store.putPart(session, partOf(session, index + 1, body), body, newCall()))
  }
  return {session, receipts}
}

export async function uploadParts(
  store: UploadStore,
  target: Target,
  pieces: readonly Uint8Array[],
  options: ObjectOptions = {},
): Promise<StoredObject> {
  const {session, receipts} = await sendParts(store, target, pieces, options)
  return store.complete(session, receipts, newCall())
}

export function textPieces(...texts: string[]): Buffer[] {
  return texts.map(text => Buffer.from(text))
}
