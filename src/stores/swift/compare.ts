import {createHash} from 'node:crypto'
import {Failure, isFailure} from '../../core/failure.ts'
import {formatSize} from '../../core/sizes.ts'
import {digestBody, readBody} from '../../http/digest.ts'
import type {Body, Call, Comparison, ObjectInfo, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {nameOf} from './failures.ts'
import {getManifest} from './manifest.ts'
import type {ManifestSegment} from './manifest.ts'

/** Compares by the MD5 of a plain object, or by those of the segments of a large one. */
export async function compareObject(
  connection: SwiftConnection,
  {info: found, isLarge}: {readonly info: ObjectInfo; readonly isLarge: boolean},
  body: Body,
  call: Call,
): Promise<Comparison> {
  if (found.size >= 0 && found.size !== body.size) {
    const sizes = `it has ${formatSize(found.size)} (${found.size} B), the file ${formatSize(body.size)} (${body.size} B)`
    throw differs(found.target, sizes)
  }
  // Where the size is not said, the checksums tell as well that it is another.
  const info = {...found, size: body.size}
  if (isLarge) return compareSegments(connection, info, body, call)
  if (info.isEtagOpaque === true || !/^[\da-f]{32}$/u.test(info.etag)) return {info}
  const {md5} = await digestBody(body, call.signal)
  if (md5.toString('hex') !== info.etag) throw differs(info.target, 'the MD5 differs')
  return {info, by: 'md5'}
}

interface Piece {
  readonly size: number
  readonly md5: string
}

async function compareSegments(
  connection: SwiftConnection,
  info: ObjectInfo,
  body: Body,
  call: Call,
): Promise<Comparison> {
  const manifest = await getManifest(connection, info.target, call).catch((error: unknown) => {
    if (isFailure(error, 'unsupported')) return undefined
    throw error
  })
  const pieces = manifest?.map(readPiece)
  const known = pieces?.filter(each => each !== undefined)
  if (known === undefined || known.length !== pieces?.length) return {info}
  if (known.reduce((sum, {size}) => sum + size, 0) !== body.size) return {info}
  const theirs = known.filter(({size}) => size > 0)
  const ours = await hashPieces(body, theirs, call.signal)
  const odd = theirs.findIndex(({md5}, index) => md5 !== ours[index])
  if (odd >= 0) throw differs(info.target, `the MD5 of segment ${odd + 1} differs`)
  return {info, by: 'md5'}
}

/** A piece of a segment, or a manifest within, has no MD5 of its own that could be compared. */
function readPiece({bytes, hash, range, sub_slo: isManifest, data}: ManifestSegment): Piece | undefined {
  if (data !== undefined) {
    const inline = Buffer.from(data, 'base64')
    return {size: inline.length, md5: createHash('md5').update(inline).digest('hex')}
  }
  if (range !== undefined || isManifest === true || bytes === undefined || hash === undefined) return undefined
  return {size: bytes, md5: hash}
}

async function hashPieces(body: Body, pieces: readonly Piece[], signal: AbortSignal): Promise<string[]> {
  const sums: string[] = []
  let hash = createHash('md5')
  let left = pieces[0]?.size ?? 0
  await readBody(
    body,
    bytes => {
      for (let at = 0; at < bytes.length;) {
        const part = bytes.subarray(at, at + left)
        hash.update(part)
        at += part.length
        left -= part.length
        if (left > 0) continue
        sums.push(hash.digest('hex'))
        hash = createHash('md5')
        left = pieces[sums.length]?.size ?? Number.POSITIVE_INFINITY
      }
    },
    signal,
  )
  return sums
}

function differs({container, key}: Target, how: string): Failure {
  return new Failure('integrity', `${nameOf(container, key)} is not the same as the file: ${how}.`, {
    context: {container, key},
    suggestion: 'Upload the file again.',
  })
}
