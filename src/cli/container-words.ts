import {formatSize} from '../core/sizes.ts'
export type {ContainerInfo} from '../stores/store.ts'
import type {ContainerDetails, ContainerInfo, Json, Limits} from '../stores/store.ts'
import {printable} from '../core/printable.ts'
import {corsToJson, describeCors} from './cors-words.ts'
import {formatTable} from './table.ts'

export function describeContainers(containers: readonly ContainerInfo[]): string {
  return formatTable(
    ['CONTAINER', 'CREATED'],
    containers.map(({name, created}) => [name, created === undefined ? '-' : formatDate(created)]),
  )
}

export function containerToJson({name, created}: ContainerInfo): Json {
  return {name, created: created?.toISOString() ?? null}
}

/** What an uploader cares for, a line each; `-` where the store does not tell. */
export function describeDetails(details: ContainerDetails): string {
  const {cors, lifecycle, notes} = details
  const lines: (readonly [string, string])[] = [
    ['container', details.name],
    ['region', details.region ?? '-'],
    ['versioning', choose(details.versioning, 'on', 'off')],
    ['public', choose(details.publicRead, 'yes: everybody can read its objects', 'no')],
    ['encryption', details.encryption ?? '-'],
    ['checksum', CHECKSUMS[details.checksum ?? 'unknown']],
    ...describeLimits(details.limits),
    ['CORS', count(cors, 'rule')],
    ['lifecycle', count(lifecycle, 'rule')],
    ...(lifecycle ?? []).map(rule => ['', describeLifecycle(rule)] as const),
    ...describeExtra(details.extra),
  ]
  const text = lines.map(([name, value]) => `${name.padEnd(11)} ${printable(value)}`.trimEnd()).join('\n')
  return [
    text,
    ...(cors?.length ? ['', describeCors(cors)] : []),
    ...(notes.length > 0 ? ['', ...notes.map(printable)] : []),
  ].join('\n')
}

export function detailsToJson({limits, cors, ...rest}: ContainerDetails): Readonly<Record<string, Json>> {
  const {part, ...others} = limits
  return {
    ...rest,
    limits: {...others, ...(part === undefined ? {} : {part: {...part}})},
    ...(cors === undefined ? {} : {cors: cors.map(corsToJson)}),
  }
}

const CHECKSUMS = {
  crc32: 'CRC32, verified by the store',
  md5: 'MD5: the store does not verify CRC32',
  unknown: 'not known yet: the first upload finds out',
}

function describeLimits({object, whole, part, key, keyUnit}: Limits): (readonly [string, string])[] {
  const parts =
    part === undefined
      ? 'no parts'
      : `${part.count.toLocaleString('en')} parts of ${formatSize(part.min)} to ${formatSize(part.max)}${part.equal ? ', all of one size' : ''}`
  return [
    ['limits', `${formatSize(object)} an object, ${formatSize(whole)} whole, ${parts}`],
    ['', `${key.toLocaleString('en')} ${keyUnit ?? 'bytes'} a key`],
  ]
}

interface Rule {
  readonly ID?: string
  readonly Status?: string
  readonly Prefix?: string
  readonly Filter?: {readonly Prefix?: string}
  readonly AbortIncompleteMultipartUpload?: {readonly DaysAfterInitiation?: number}
  readonly Expiration?: {readonly Days?: number}
  readonly [name: string]: unknown
}

/** What the usual rules do in words, anything else as it stands. */
function describeLifecycle(json: Json): string {
  const {ID, Status, Prefix, Filter, AbortIncompleteMultipartUpload: abort, Expiration, ...rest} = json as Rule
  const days = (count: number | undefined): string => `${count ?? '?'} d`
  const prefix = Filter?.Prefix ?? Prefix ?? ''
  const isPlain =
    Object.keys(rest).length === 0 &&
    Object.keys(Filter ?? {}).every(name => name === 'Prefix') &&
    Object.keys(Expiration ?? {}).every(name => name === 'Days')
  if (!isPlain) return textOf(json)
  const does = [
    ...(abort === undefined ? [] : [`drops unfinished uploads after ${days(abort.DaysAfterInitiation)}`]),
    ...(Expiration === undefined ? [] : [`deletes objects after ${days(Expiration.Days)}`]),
  ]
  const where = prefix === '' ? '' : ` under "${prefix}"`
  return `${ID ?? '-'}${Status === 'Enabled' ? '' : ' (off)'}: ${does.join(', ') || 'nothing'}${where}`
}

/** What only one provider has, in words; sizes for people. */
function describeExtra(extra: ContainerDetails['extra'] = {}): (readonly [string, string])[] {
  return Object.entries(extra).flatMap(([name, value]): (readonly [string, string])[] => {
    if (name === 'metadata' && value !== null && typeof value === 'object') {
      return Object.entries(value).map(([word, text], index) => [index === 0 ? name : '', `${word}=${textOf(text)}`])
    }
    const isSize = name === 'bytes' || name === 'quotaBytes'
    const text = isSize && typeof value === 'number' ? formatSize(value) : textOf(value)
    return [[LABELS[name] ?? name, name === 'quotaCount' ? `${text} objects` : text]]
  })
}

const LABELS: Readonly<Record<string, string>> = {
  bytes: 'size',
  quotaBytes: 'quota',
  quotaCount: 'quota',
  readAcl: 'read ACL',
  writeAcl: 'write ACL',
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function choose(value: boolean | undefined, yes: string, no: string): string {
  return value === undefined ? '-' : value ? yes : no
}

function count(all: readonly unknown[] | undefined, name: string): string {
  if (all === undefined) return '-'
  return all.length === 0 ? 'none' : `${all.length} ${name}${all.length === 1 ? '' : 's'}`
}

function formatDate(date: Date): string {
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/u, ' UTC')
}
