import {randomBytes} from 'node:crypto'
import {crc32} from 'node:zlib'
import {expect} from 'chai'
import {formatCrc32} from '../../../src/core/crc32.ts'
import {isFailure} from '../../../src/core/failure.ts'
import type {Failure, FailureCode} from '../../../src/core/failure.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {
  Body,
  Call,
  ContainerStore,
  Limits,
  ObjectInfo,
  ObjectOptions,
  ObjectStore,
  Part,
  PartReceipt,
  Session,
  StoredObject,
  Target,
  UploadStore,
} from '../../../src/stores/store.ts'

/** What is asked of a store: all can be uploaded to, and most can do more. */
export type ContractStore = UploadStore & Partial<ObjectStore> & Partial<ContainerStore>

/** An object as a client sees it that we did not write. */
export interface ForeignObject {
  readonly bytes: Buffer
  readonly contentType?: string | undefined
  readonly cacheControl?: string | undefined
  readonly contentDisposition?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** Another client on the same container. */
export interface ForeignClient {
  /** Undefined where there is none. */
  read(key: string): Promise<ForeignObject | undefined>
  list(): Promise<readonly string[]>
}

export interface OpenedStore {
  readonly store: ContractStore
  /** It is there, and empty of what these tests write. */
  readonly container: string
  readonly foreign?: ForeignClient
  /** The same place with a secret that is wrong. */
  readonly wrongKey?: ContractStore
  close(): Promise<void>
}

/** What a store cannot do, or what cannot be tried on it; a verb's name where it has no such verb. */
export type Lack =
  | 'head'
  | 'read'
  | 'list'
  | 'deleteObject'
  | 'listUploads'
  /** Credentials that may make containers. */
  | 'containers'
  | 'parts'
  /** It takes one key only. */
  | 'keys'
  | 'noClobber'
  /** What is not complete cannot be seen. */
  | 'hidden'
  /** It takes the place of an object that is there. */
  | 'replace'
  | 'metadata'
  /** Another client that could look at what was stored. */
  | 'foreign'
  /** Listings of more than one page: some need too long for a thousand of anything. */
  | 'pages'
  /** Credentials, and so wrong ones. */
  | 'wrongKey'

export interface ContractOptions {
  readonly lacks?: readonly Lack[]
  /** Keys of the odd table that the store refuses: it must fail, and not take them for others. */
  readonly refusedKeys?: readonly string[]
  /** Keys of the odd table that the store takes and then fails at: a fault of its own, which the suite names. */
  readonly brokenKeys?: readonly string[]
}

/** The store once it is open, and short words for what the tests do with it. */
export interface Bench {
  readonly options: ContractOptions
  /** What it lacks is missing: only tests that need it call it. */
  readonly store: Required<ContractStore>
  readonly opened: OpenedStore
  /** A test that is left out where the store lacks what it needs. */
  it(needs: readonly Lack[], title: string, run: (this: Mocha.Context) => Promise<void>): void
  readonly lacks: (lack: Lack) => boolean
  /** A place that no other test uses. */
  target(name?: string): Target
  at(key: string): Target
  put(target: Target, bytes: Uint8Array, options?: ObjectOptions): Promise<StoredObject>
  /** Begins an upload of parts of these sizes. */
  begin(target: Target, sizes: readonly number[], options?: ObjectOptions): Promise<Session>
  putPart(session: Session, number: number, bytes: Uint8Array): Promise<PartReceipt>
  /** What stands at the key by every reader there is; they must agree. Undefined where nothing does. */
  readBack(target: Target): Promise<Buffer | undefined>
}

export function createBench(options: ContractOptions, open: () => OpenedStore | undefined): Bench {
  const run = `contract-${randomBytes(4).toString('hex')}`
  let count = 0
  const lacks = (lack: Lack): boolean => options.lacks?.includes(lack) === true

  async function readOwn(store: ContractStore, target: Target): Promise<Buffer | undefined> {
    const pieces: Buffer[] = []
    try {
      await store.read?.(target, undefined, bytes => void pieces.push(Buffer.from(bytes)), newCall())
    } catch (error) {
      if (isFailure(error, 'not-found')) return undefined
      throw error
    }
    return Buffer.concat(pieces)
  }

  const bench: Bench = {
    options,
    get opened() {
      const opened = open()
      if (opened === undefined) throw new Error('The store is not open.')
      return opened
    },
    get store() {
      return bench.opened.store as Required<ContractStore>
    },
    lacks,
    it(needs, title, test) {
      if (!needs.some(lacks)) it(title, test)
    },
    target: (name = 'object') => bench.at(`${run}/${++count}/${name}`),
    at: key => ({remote: 'test', container: bench.opened.container, key}),
    put: (target, bytes, given = {}) => bench.store.putWhole(target, bufferBody(bytes), given, newCall()),
    begin(target, sizes, given = {}) {
      const size = sizes.reduce((sum, each) => sum + each, 0)
      return bench.store.begin(target, given, {size, partSize: sizes[0] ?? 1, count: sizes.length}, newCall())
    },
    putPart(session, number, bytes) {
      const body = bufferBody(bytes)
      return bench.store.putPart(session, partOf(session, number, body), body, newCall())
    },
    async readBack(target) {
      const {store, foreign} = bench.opened
      if (bench.lacks('read') && foreign === undefined) throw new Error('Nothing can read this store.')
      const own = bench.lacks('read') ? undefined : await readOwn(store, target)
      if (foreign === undefined) return own
      const theirs = (await foreign.read(target.key))?.bytes
      if (bench.lacks('read')) return theirs
      expect(theirs === undefined ? own : own?.equals(theirs), 'two readers agree').to.equal(
        theirs === undefined ? undefined : true,
      )
      return own
    },
  }
  return bench
}

/** A call that nobody interrupts. */
export function newCall(): Call {
  return {signal: new AbortController().signal}
}

export function partOf(session: Session, number: number, body: Body): Part {
  return {number, offset: (number - 1) * session.partSize, size: body.size}
}

/** Three parts as small as the store takes them, the last one smaller. */
export function threeParts(limits: Limits): [Buffer, Buffer, Buffer] {
  const size = Math.max(limits.part?.min ?? 1, 1024)
  return [randomBytes(size), randomBytes(size), randomBytes(777)]
}

export function sizesOf(pieces: readonly Uint8Array[]): number[] {
  return pieces.map(piece => piece.length)
}

export function crcOf(bytes: Uint8Array): string {
  return formatCrc32(crc32(bytes))
}

/** Waits for a call that must fail with one of these codes. */
export async function failureOf(running: Promise<unknown>, ...codes: FailureCode[]): Promise<Failure> {
  const error = await running.then(
    () => new Error('It did not fail.'),
    (thrown: unknown) => thrown,
  )
  if (!isFailure(error)) throw error
  expect(error.code, error.message).to.be.oneOf(codes)
  expect(error.message).to.match(/\S\.$/u)
  return error
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export function keysOf(infos: readonly ObjectInfo[]): string[] {
  return infos.map(({target}) => target.key)
}

export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Runs a job for each number from 1, a few at a time. */
export async function inTurns(count: number, job: (number: number) => Promise<void>): Promise<void> {
  let next = 1
  const work = async (): Promise<void> => {
    while (next <= count) await job(next++)
  }
  await Promise.all(Array.from({length: 16}, work))
}
