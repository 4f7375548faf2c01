import {createHash} from 'node:crypto'
import {Failure} from '../../core/failure.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Answer} from '../../http/send.ts'
import {COMPLETE_WAIT} from '../../http/waits.ts'
import type {Call, PartReceipt, Target} from '../store.ts'
import {tryPage} from '../try-page.ts'
import type {SwiftConnection} from './client.ts'
import {nameOf, readVerdict, toFailure} from './failures.ts'
import {hasTypes} from './json-values.ts'
import {isLargeObject, unquote} from './object-headers.ts'
import type {SegmentPlace} from './segments.ts'
import {unreadable} from './readable.ts'
import {parsePath, segmentTarget} from './segments.ts'

/** One segment as a manifest names it when it is read. */
export interface ManifestSegment {
  /** `/container/object`, raw. */
  readonly name?: string
  readonly bytes?: number
  /** MD5, or the ETag of a manifest within. */
  readonly hash?: string
  readonly range?: string
  readonly sub_slo?: boolean
  /** Base64, in the manifest itself. */
  readonly data?: string
}

/** Returns the ETag that the store gives the object: MD5 of the segments' MD5s in hex. */
export function manifestEtag(receipts: readonly PartReceipt[]): string {
  const hash = createHash('md5')
  for (const {etag} of receipts) hash.update(etag)
  return hash.digest('hex')
}

/** Returns the ETags of the objects that the first, the first two, and so on, of the segments would make. */
export function leadingEtags(segments: readonly Pick<PartReceipt, 'etag'>[]): string[] {
  const hash = createHash('md5')
  return segments.map(({etag}) => hash.update(etag).copy().digest('hex'))
}

// https://docs.openstack.org/swift/latest/overview_large_objects.html#static-large-objects
/**
 * Writes the manifest that makes the segments one object. Fails `not-found` where no segment is there, `integrity` where
 * some are missing or hold other bytes: `onOdd` is told which.
 */
export async function putManifest(
  connection: SwiftConnection,
  target: Target,
  {
    place,
    receipts,
    headers,
    onOdd,
  }: {
    readonly place: SegmentPlace
    readonly receipts: readonly PartReceipt[]
    readonly headers: Readonly<Record<string, string>>
    readonly onOdd: (number: number) => void
  },
  call: Call,
): Promise<void> {
  const entries = receipts.map(({number, etag, size}) => {
    const {container, key} = segmentTarget(place, number)
    // Raw: an encoded path is another one, which is not there.
    return {path: `/${container}/${key}`, etag, size_bytes: size}
  })
  const etag = manifestEtag(receipts)
  const body = Buffer.from(JSON.stringify(entries))
  const put = (check: Readonly<Record<string, string>>): Promise<Answer> =>
    connection.request(
      {
        method: 'PUT',
        target,
        query: {'multipart-manifest': 'put', heartbeat: 'on'},
        headers: {...headers, ...check, accept: 'application/json'},
        body: bufferBody(body),
        accepts: [400, 404, 422],
      },
      {signal: call.signal, answer: connection.settings.wire.waits?.complete ?? COMPLETE_WAIT},
    )
  let answer = await put({etag})
  // Ceph's gateway compares it with its own in quotes, and refuses every one; that which it answers with is the same.
  const isRefused = answer.status === 422 && unquote(answer.headers.etag) === etag
  if (isRefused) answer = await put({})
  const verdict = judgeAnswer(answer, target, receipts.length, onOdd)
  if (verdict !== etag && (verdict !== '' || isRefused)) {
    throw new Failure('integrity', `The store made something else of ${nameOf(target.container, target.key)}.`, {
      context: {container: target.container, key: target.key},
      retryable: true,
    })
  }
}

interface Verdict {
  readonly 'Response Status'?: string
  readonly 'Response Body'?: string
  readonly Etag?: string
  readonly Errors?: readonly (readonly [path: string, words?: string])[]
}

/** Returns the ETag. With a heartbeat the answer is always 202, and only its body tells. */
function judgeAnswer(answer: Answer, target: Target, count: number, onOdd: (number: number) => void): string {
  const {status, headers, text} = answer
  if (status === 201) return unquote(headers.etag)
  const verdict = parseVerdict(text)
  if (verdict === undefined && status === 202) {
    throw new Failure('network', 'The answer of the store is damaged.', {retryable: true})
  }
  const line = verdict?.['Response Status'] ?? String(status)
  // Ceph's gateway names no segment.
  if (status === 404 && text.includes('NoSuchKey')) throw misses(target)
  if (line.startsWith('201')) return unquote(verdict?.Etag)
  const {container, key} = target
  const errors = verdict?.Errors ?? []
  for (const [path] of errors) {
    const number = /\/(\d{8})$/u.exec(path)?.[1]
    if (number !== undefined) onOdd(Number(number))
  }
  throw (
    findUnreadable(errors) ??
    findMissing(
      errors.map(([, words = '']) => words),
      count,
      target,
    ) ??
    toFailure(readVerdict(line, errors[0]?.join(': ') ?? verdict?.['Response Body']?.trim() ?? text.trim(), headers), {
      container,
      key,
      method: 'PUT',
    })
  )
}

/** Reads the verdict in the body of an answer; undefined for what is none. */
export function parseVerdict(text: string): Verdict | undefined {
  try {
    const verdict: unknown = JSON.parse(text)
    return isVerdict(verdict) ? verdict : undefined
  } catch {
    return undefined
  }
}

function isVerdict(value: unknown): value is Verdict {
  const isPair = (each: unknown): boolean => Array.isArray(each) && each.every(word => typeof word === 'string')
  const types = {'Response Status': 'string', 'Response Body': 'string', Etag: 'string'} as const
  if (!hasTypes(value, types)) return false
  const {Errors: errors = []} = value as {Errors?: unknown}
  return Array.isArray(errors) && errors.every(isPair)
}

function findUnreadable(errors: NonNullable<Verdict['Errors']>): Failure | undefined {
  const refused = errors.find(([, words = '']) => words.startsWith('403'))
  return refused === undefined ? undefined : unreadable(parsePath(refused[0]).container)
}

function findMissing(words: readonly string[], count: number, {container, key}: Target): Failure | undefined {
  const context = {container, key}
  const missing = words.filter(each => each.startsWith('404')).length
  if (missing > 0 && missing === count) {
    return forgotten({container, key})
  }
  if (missing > 0) return misses({container, key})
  if (words.some(each => /mismatch/iu.test(each))) {
    return new Failure('integrity', `A part of ${nameOf(container, key)} is not the one that was sent.`, {context})
  }
  return undefined
}

function misses({container, key}: Pick<Target, 'container' | 'key'>): Failure {
  const message = `The store misses a part of ${nameOf(container, key)}.`
  return new Failure('integrity', message, {context: {container, key}})
}

/**
 * Reads what a large object consists of; undefined where there is none, or something else. Fails `unsupported` where the
 * store does not show it.
 */
export async function readManifest(
  connection: SwiftConnection,
  target: Pick<Target, 'container' | 'key'>,
  call: Call,
): Promise<readonly ManifestSegment[] | undefined> {
  // Asked first: of any other object the next request would be a download.
  const head = await tryPage(call, () =>
    connection.request({method: 'HEAD', target, accepts: [404]}, {signal: call.signal}),
  )
  return isLargeObject(head) ? getManifest(connection, target, call) : undefined
}

/** Reads the manifest of what is known to be a large object, or one of its old versions. */
export async function getManifest(
  connection: SwiftConnection,
  target: Pick<Target, 'container' | 'key'> & {readonly version?: string | undefined},
  call: Call,
): Promise<readonly ManifestSegment[] | undefined> {
  const {version, ...current} = target
  const query = {
    'multipart-manifest': 'get',
    format: 'json',
    ...(version === undefined ? {} : {'version-id': version}),
  }
  const request = {method: 'GET', target: current, query, accepts: [404]}
  return tryPage(call, async () => {
    const answer = await connection.request(request, {signal: call.signal})
    if (isLargeObject(answer)) return parseManifest(answer.text)
    // As Ceph's gateway answers. Who takes this for a small object might delete what the large one is made of.
    if (answer.status < 300 && answer.text === '') throw hidden(target)
    return undefined
  })
}

function parseManifest(text: string): ManifestSegment[] {
  let segments: unknown
  try {
    segments = JSON.parse(text)
  } catch (error) {
    throw damaged(error)
  }
  if (!Array.isArray(segments) || !segments.every(each => hasTypes(each, TYPES))) throw damaged()
  return segments as ManifestSegment[]
}

const TYPES = {
  name: 'string',
  bytes: 'number',
  hash: 'string',
  range: 'string',
  sub_slo: 'boolean',
  data: 'string',
} as const

function damaged(cause?: unknown): Failure {
  return new Failure('network', 'The manifest of the store is damaged.', {cause, retryable: true})
}

function hidden({container, key}: Pick<Target, 'container' | 'key'>): Failure {
  return new Failure('unsupported', `The store does not show what ${nameOf(container, key)} is made of.`, {
    context: {container, key},
    suggestion: 'Compare the object itself: skylift verify FILE TARGET --download',
  })
}

export function forgotten({container, key}: Pick<Target, 'container' | 'key'>): Failure {
  return new Failure('not-found', `The store has forgotten the upload of ${nameOf(container, key)}.`, {
    context: {container, key},
    suggestion: 'Run it again: it starts anew, and what makes a stream must make it again.',
  })
}
