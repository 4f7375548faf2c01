import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {
  Call,
  ObjectInfo,
  Part,
  PartReceipt,
  Session,
  Store,
  StoredObject,
  Target,
  UploadStore,
} from '../../../src/stores/store.ts'

export const target: Target = {remote: 's3', container: 'c', key: 'k'}
export const body = bufferBody(Buffer.from('x'))
export const part: Part = {number: 1, offset: 0, size: 1}
export const receipt: PartReceipt = {number: 1, size: 1, etag: 'e', crc32: '00000000'}
export const stored: StoredObject = {target, size: 1, etag: 'e', verified: {by: 'md5'}}

export function sessionOf(uploadId: string): Session {
  return {target, uploadId, options: {}, size: 1, partSize: 1, checksum: 'crc32'}
}

export function newCall(call: Partial<Call> = {}): Call {
  return {signal: new AbortController().signal, ...call}
}

export function infoOf(key: string): ObjectInfo {
  return {target: {...target, key}, size: 1, etag: 'e'}
}

type SmallStore = UploadStore & Pick<Store, 'head' | 'list' | 'listUploads' | 'listContainers'>

/** A store that does what `verbs` says and nothing else; every other verb succeeds at once. */
export function storeOf(verbs: Partial<SmallStore> = {}): SmallStore {
  return {
    endpoint: 'test',
    limits: () => Promise.resolve({whole: 1, object: 1, key: 1}),
    putWhole: () => Promise.resolve(stored),
    begin: () => Promise.resolve(sessionOf('u')),
    putPart: () => Promise.resolve(receipt),
    listParts: () => Promise.resolve([receipt]),
    complete: () => Promise.resolve(stored),
    abort: () => Promise.resolve(),
    head: () => Promise.resolve(infoOf('k')),
    async *list() {},
    async *listUploads() {},
    async *listContainers() {},
    ...verbs,
  }
}
