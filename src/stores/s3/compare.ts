import {createHash} from 'node:crypto'
import type {Hash} from 'node:crypto'
import {formatCrc32} from '../../core/crc32.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import {formatSize, MIB} from '../../core/sizes.ts'
import {crc32Body, digestBody, readBody} from '../../http/digest.ts'
import type {Body, Call, CompareHint, Comparison, ObjectInfo, Target} from '../store.ts'
import {isMd5, saysMd5} from './checksum.ts'
import type {S3Connection} from './client.ts'

/** Part sizes that tools are known to take, beside our own growing ones. */
const USUAL = [5, 6, 8, 10, 15, 16, 20, 24, 25, 32, 48, 50, 64, 96, 100, 128, 200, 250, 256, 500, 512, 1024, 5120].map(
  size => size * MIB,
)
const DECIMAL = [5, 8, 10, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000].map(size => size * 1e6)

/** Compares by the full-object CRC-32, by the MD5 in the ETag, or by an ETag recomputed from the part size. */
export async function compareObject(
  connection: S3Connection,
  found: ObjectInfo,
  body: Body,
  hint: CompareHint,
  call: Call,
): Promise<Comparison> {
  if (found.size >= 0 && found.size !== body.size) {
    const sizes = `it has ${formatSize(found.size)} (${found.size} B), the file ${formatSize(body.size)} (${body.size} B)`
    throw differs(found.target, sizes)
  }
  // Where the size is not said, the checksums tell as well that it is another.
  const info = {...found, size: body.size}
  if (info.crc32 !== undefined) {
    if (formatCrc32(await crc32Body(body, call.signal)) !== info.crc32) throw differs(info.target, 'the CRC-32 differs')
    return {info, by: 'crc32'}
  }
  if (info.isEtagOpaque === true) return {info}
  if (isMd5(info.etag)) {
    if (!saysMd5(info.etag, (await digestBody(body, call.signal)).md5.toString('hex'))) {
      throw differs(info.target, 'the MD5 differs')
    }
    return {info, by: 'md5'}
  }
  if (info.parts === undefined) return {info}
  const exact = hint.partSize ?? (await askPartSize(connection, info, call))
  const sizes = exact === undefined ? guessPartSizes(body.size, info.parts) : [exact]
  const etags = await hashParts(body, sizes, call.signal)
  if (etags.some(each => saysMd5(info.etag, each))) return {info, by: 'md5'}
  if (exact !== undefined && Math.ceil(body.size / exact) === info.parts) {
    throw differs(info.target, 'the MD5s of the parts differ')
  }
  return {info}
}

/** A HEAD of part 1 has its size, on stores that know part numbers there. */
async function askPartSize(
  connection: S3Connection,
  {target, size, parts}: ObjectInfo,
  call: Call,
): Promise<number | undefined> {
  try {
    const request = {method: 'HEAD', target, query: {partNumber: '1'}}
    const {headers, status} = await connection.request(request, {signal: call.signal})
    const partSize = Number(headers['content-length'])
    // A store that passes over the number answers for the whole.
    return status === 206 && Math.ceil(size / partSize) === parts ? partSize : undefined
  } catch (error) {
    if (isFailure(error, 'network', 'busy')) throw error
    return undefined
  }
}

/** Returns the part sizes that make so many parts of so many bytes and that somebody is likely to have taken. */
function guessPartSizes(size: number, parts: number): number[] {
  const fits = (each: number): boolean => Math.ceil(size / each) === parts
  const smallest = Math.ceil(size / parts / MIB) * MIB
  const near = Array.from({length: 4}, (_, index) => smallest + index * MIB)
  return [...new Set([...USUAL, ...near, ...DECIMAL])].filter(fits).slice(0, 8)
}

/** Computes the ETags for several part sizes in one reading. */
async function hashParts(body: Body, sizes: readonly number[], signal: AbortSignal): Promise<string[]> {
  const cuts = sizes.map(size => ({size, left: size, part: createHash('md5'), whole: createHash('md5'), count: 0}))
  const close = (cut: {part: Hash; whole: Hash; count: number}): void => {
    cut.whole.update(cut.part.digest())
    cut.part = createHash('md5')
    cut.count++
  }
  if (cuts.length === 0) return []
  await readBody(
    body,
    bytes => {
      for (const cut of cuts) {
        for (let at = 0; at < bytes.length;) {
          const piece = bytes.subarray(at, at + cut.left)
          cut.part.update(piece)
          at += piece.length
          cut.left -= piece.length
          if (cut.left > 0) continue
          close(cut)
          cut.left = cut.size
        }
      }
    },
    signal,
  )
  return cuts.map(cut => {
    if (cut.left < cut.size) close(cut)
    return `${cut.whole.digest('hex')}-${cut.count}`
  })
}

function differs({container, key}: Target, how: string): Failure {
  const context = {container, key}
  return new Failure('integrity', `"${container}/${key}" is not the same as the file: ${how}.`, {
    context,
    suggestion: 'Upload the file again.',
  })
}
