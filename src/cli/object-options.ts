import type {ObjectOptions} from '../stores/store.ts'
import {Failure} from '../core/failure.ts'
import {readMetadata, readPairs} from './pairs.ts'
import type {Pair} from './pairs.ts'

export interface ObjectFlags {
  readonly 'content-type'?: string | undefined
  readonly 'cache-control'?: string | undefined
  readonly 'content-disposition'?: string | undefined
  readonly 'content-encoding'?: string | undefined
  readonly metadata?: readonly Pair[] | undefined
  readonly tag?: readonly Pair[] | undefined
  readonly 'storage-class'?: string | undefined
  readonly acl?: string | undefined
  readonly sse?: string | undefined
  readonly 'sse-kms-key-id'?: string | undefined
  readonly 'no-clobber'?: boolean
  readonly 'delete-after'?: number | undefined
  readonly 'keep-old-segments'?: boolean
}

/** What the tables of types miss or get wrong for files that people upload. */
const TYPES = new Map([
  ['ts', 'text/plain'],
  ['parquet', 'application/vnd.apache.parquet'],
  ['jsonl', 'application/jsonl'],
  ['ndjson', 'application/x-ndjson'],
  ['zst', 'application/zstd'],
])

const ASCII_ONLY = ['content-type', 'cache-control', 'content-disposition', 'content-encoding'] as const

/**
 * Makes the options of an object from flags; the content type is guessed from the file's name. Without a promise once the
 * table of types is there. Fails `usage`.
 */
export function readObjectOptions(flags: ObjectFlags, path: string): ObjectOptions | Promise<ObjectOptions> {
  const shared = known.get(flags) ?? readShared(flags)
  if (shared.contentType !== undefined) return shared
  const guess = (types: Types): ObjectOptions => ({...shared, contentType: guessType(types, path)})
  return types === undefined ? loadTypes().then(guess) : guess(types)
}

const known = new WeakMap<ObjectFlags, ObjectOptions>()

/** The flags are the same for all files of a run. */
function readShared(flags: ObjectFlags): ObjectOptions {
  for (const value of Object.values(flags)) refuseControl(value)
  for (const name of ASCII_ONLY) refuseBeyondAscii(name, flags[name])
  const named = {
    contentType: flags['content-type'],
    cacheControl: flags['cache-control'],
    contentDisposition: flags['content-disposition'],
    contentEncoding: flags['content-encoding'],
    storageClass: flags['storage-class'],
    acl: flags.acl,
    sse: flags.sse,
    sseKmsKeyId: flags['sse-kms-key-id'],
    metadata: readMetadata(flags.metadata?.map(checkMetadata)),
    tags: readPairs('tag', flags.tag),
    noClobber: flags['no-clobber'] === true ? true : undefined,
    deleteAfterInSeconds: toSeconds(flags['delete-after']),
    keepOldSegments: flags['keep-old-segments'] === true ? true : undefined,
  }
  const shared: ObjectOptions = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
  known.set(flags, shared)
  return shared
}

function toSeconds(ms: number | undefined): number | undefined {
  if (ms === undefined || ms >= 1000) return ms === undefined ? ms : Math.round(ms / 1000)
  throw new Failure('usage', '--delete-after: stores count in whole seconds.', {suggestion: 'Write it like 1h or 30d.'})
}

type Types = typeof import('mime').default

let types: Types | undefined

async function loadTypes(): Promise<Types> {
  types = (await import('mime')).default
  return types
}

let last = {extension: '', type: ''}

/** Files of one kind come one after the other. */
function guessType(among: Types, path: string): string {
  // What has a slash in it is no extension, and no table knows it.
  const extension = path.slice(path.lastIndexOf('.') + 1 || path.length)
  if (last.type === '' || extension !== last.extension) {
    const word = extension.toLowerCase()
    last = {extension, type: TYPES.get(word) ?? among.getType(word) ?? 'application/octet-stream'}
  }
  return last.type
}

function checkMetadata([name, value]: Pair): Pair {
  // https://www.rfc-editor.org/rfc/rfc9110#name-tokens
  if (/^[\w!#$%&'*+.^`|~-]+$/u.test(name)) return [name, value]
  throw new Failure('usage', `"${name}" cannot be the name of metadata: it travels as part of a header's name.`)
}

function refuseControl(value: unknown): void {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001F\u007F]/u.test([value].flat(2).join(' '))) {
    throw new Failure('usage', 'A header cannot hold control characters.')
  }
}

function refuseBeyondAscii(name: string, value: string | undefined): void {
  if (value === undefined || /^[\u0020-\u007E]*$/u.test(value)) return
  throw new Failure('usage', `--${name} can hold ASCII only: it travels as a header.`, {
    suggestion: "For a file name write filename*=UTF-8''... with percent signs, or make a link with --filename.",
  })
}
