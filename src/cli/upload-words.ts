import {formatDuration} from '../core/durations.ts'
import type {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {formatSize} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import type {Json, PartPlan, StoredObject} from '../stores/store.ts'

/** One line about an object that is stored: target, size, time, rate, checksum. */
export function describeStored(object: StoredObject, elapsed: number): string {
  const rate = `${formatSize(Math.round((object.size * 1000) / Math.max(1, elapsed)))}/s`
  const words = [formatSize(object.size), formatDuration(elapsed), rate, describeChecksum(object)]
  return `${printable(formatTarget(object.target))}  ${words.join('  ')}`
}

function describeChecksum({verified, crc32, md5, etag}: StoredObject): string {
  if (verified.by === 'none') return `not verified: ${verified.note ?? 'the store does not say'}`
  if (verified.by === 'crc32') return `crc32 ${crc32 ?? ''}`
  if (md5 !== undefined) return `md5 ${md5}`
  // An object in parts has the MD5 of their MD5s for its ETag, or one of the store's own; neither is that of the file.
  return `md5 of every part${/^[\da-f]{32}(?:-\d+)?$/iu.test(etag) ? `  etag ${etag}` : ''}`
}

export function storedToJson(object: StoredObject, elapsed: number): {readonly [name: string]: Json} {
  const {target, size, etag, crc32, md5, verified, versionId, notes} = object
  return {
    target: formatTarget(target),
    container: target.container,
    key: target.key,
    size,
    etag,
    ...(crc32 === undefined ? {} : {crc32}),
    ...(md5 === undefined ? {} : {md5}),
    verifiedBy: verified.by,
    ...(versionId === undefined ? {} : {versionId}),
    ...(notes === undefined ? {} : {notes}),
    elapsed: Math.round(elapsed),
  }
}

export function describePlan(path: string, target: string, {size, partSize, count}: PartPlan): string {
  const how = count === 0 ? 'whole' : `${count.toLocaleString('en')} parts of ${formatSize(partSize)}`
  return `${printable(path)} -> ${printable(target)}  ${formatSize(size)}, ${how}`
}

/** The one line that stands for many failures. */
export function describeFailures(failed: number, shown: number): string {
  const files = failed.toLocaleString('en')
  return `${files} files failed; ${shown.toLocaleString('en')} of the failures:`
}

const SHOWN = 10

/** Returns a few failures that stand for all: one of each code, then others. */
export function chooseFailures(failures: readonly Failure[]): readonly Failure[] {
  const firsts = failures.filter((each, index) => failures.findIndex(({code}) => code === each.code) === index)
  const others = failures.filter(each => !firsts.includes(each))
  return [...firsts, ...others].slice(0, Math.max(SHOWN, firsts.length))
}
