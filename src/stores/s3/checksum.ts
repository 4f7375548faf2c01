import {createHash} from 'node:crypto'
import {combineCrc32, formatCrc32, parseCrc32} from '../../core/crc32.ts'
import {Failure} from '../../core/failure.ts'
import type {Answer} from '../../http/send.ts'
import type {PartReceipt, Target} from '../store.ts'
import type {S3Exchange} from './client.ts'

/** What is known of the store's own checking; `true` and `false` were shown by its answers, or stand in its quirks. */
export interface Trust {
  verifiesCrc32(): boolean | undefined
  learn(echoed: boolean): void
}

export function createTrust(connection: S3Exchange): Trust {
  const {quirks, findings} = connection.settings
  const {endpointName} = connection
  function verifiesCrc32(): boolean | undefined {
    const {checksum} = findings.get(endpointName)
    return quirks.verifiesCrc32 ?? (checksum === undefined ? undefined : checksum === 'crc32')
  }
  return {
    verifiesCrc32,
    learn(echoed) {
      if (verifiesCrc32() !== echoed) findings.learn(endpointName, {checksum: echoed ? 'crc32' : 'md5'})
    },
  }
}

/** True where an ETag can be an MD5. */
export function isMd5(etag: string): boolean {
  return /^[\da-f]{32}$/iu.test(etag)
}

/** True where an ETag says this MD5, or this MD5 of MD5s; some stores write theirs in capitals. */
export function saysMd5(etag: string, md5: string | undefined): boolean {
  return etag.toLowerCase() === md5
}

export function unquote(etag: string | string[] | undefined): string {
  return String(etag ?? '').replaceAll(/^(?:W\/)?"|"$/gu, '')
}

export function textHeader(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name]
  return typeof value === 'string' ? value : undefined
}

export function answeredCrc32(answer: Answer): string | undefined {
  return crc32FromBase64(textHeader(answer, 'x-amz-checksum-crc32'))
}

export function crc32FromBase64(text: string | undefined): string | undefined {
  // A checksum of checksums (COMPOSITE) has the number of parts behind it: `4waSgw==-3`.
  if (!/^[\w+/]{6}==$/u.test(text ?? '')) return undefined
  return formatCrc32(Buffer.from(text ?? '', 'base64').readUInt32BE())
}

/** Returns the ETag that a store gives the object: MD5 of the parts' MD5s; undefined where they are not MD5s. */
export function multipartEtag(receipts: readonly PartReceipt[]): string | undefined {
  if (!receipts.every(({etag}) => isMd5(etag))) return undefined
  const hash = createHash('md5')
  for (const {etag} of receipts) hash.update(Buffer.from(etag, 'hex'))
  return `${hash.digest('hex')}-${receipts.length}`
}

/** Returns the CRC-32 of the whole object from those of its parts; undefined where one is not known. */
export function wholeCrc32(receipts: readonly PartReceipt[]): number | undefined {
  if (receipts.some(({crc32}) => crc32 === '')) return undefined
  return receipts.reduce((crc, part) => combineCrc32(crc, parseCrc32(part.crc32), part.size), 0)
}

function failIntegrity(message: string, {container, key}: Target, part?: number): Failure {
  const context = {container, key, ...(part === undefined ? {} : {part})}
  return new Failure('integrity', message, {context, retryable: true})
}

export function damaged(target: Target): Failure {
  return failIntegrity(`The store holds other bytes at "${target.container}/${target.key}" than were sent.`, target)
}

export function partDamaged(target: Target, part: number): Failure {
  return failIntegrity(`Part ${part} of "${target.container}/${target.key}" was damaged on the way.`, target, part)
}

export function incomplete({container, key}: Target): Failure {
  const message = `The parts of "${container}/${key}" are not the whole object.`
  return new Failure('integrity', message, {context: {container, key}})
}

export function noEtag(target: Target, part?: number): Failure {
  return failIntegrity(`The store did not say what it stored at "${target.container}/${target.key}".`, target, part)
}
