import {formatDuration} from '../core/durations.ts'
import {formatTarget} from '../core/target.ts'
import type {TempUrlCheck} from '../stores/open.ts'
import type {Json, Target, TempUrl} from '../stores/store.ts'
import {writeCurl} from './curl.ts'
import {describeEnd} from './expiry.ts'

/** What stands on stdout alone: the URL, for a form its fields too, or the command. */
export function printTempUrl(temp: TempUrl, target: Target, withCurl: boolean): string {
  if (withCurl) return writeCurl(temp, target)
  if (temp.fields === undefined) return temp.url
  return JSON.stringify({url: temp.url, fields: temp.fields}, null, 2)
}

export interface TempUrlKind {
  readonly withCurl?: boolean
  /** For every key that starts with the target's. */
  readonly isPrefix?: boolean
}

/** What a person should know beside the URL, without the URL. */
export function describeTempUrl(temp: TempUrl, target: Target, kind: TempUrlKind = {}): readonly string[] {
  const {method, expires, headers, fields, notes} = temp
  const {withCurl = false, isPrefix = false} = kind
  const names = Object.entries(headers)
  const what = fields === undefined ? method : 'A form (POST)'
  const name = formatTarget(target)
  const whom = isPrefix ? `every key that starts with ${target.key === '' ? `${name}/` : name}` : name
  return [
    `${what} for ${whom} until ${describeEnd(expires, formatDuration)}.`,
    ...(isPrefix ? prefixNotes(target) : []),
    ...(names.length > 0 && !withCurl
      ? ['Exactly these headers must be sent with it:', ...names.map(([name, value]) => `  ${name}: ${value}`)]
      : []),
    ...(fields !== undefined && !withCurl
      ? ['All fields must be sent in this order, and the file after them, as the field "file".']
      : []),
    ...notes,
  ]
}

function prefixNotes({key}: Target): string[] {
  const isFolder = key === '' || key.endsWith('/')
  return [
    'The rest of a key goes in front of the "?" of the URL, percent-encoded.',
    ...(isFolder ? [] : [`Keys such as "${key}-other" start so too: with a slash at its end the prefix is a folder.`]),
  ]
}

export function describeCheck({status, headers, filename, notes}: TempUrlCheck): readonly string[] {
  return [
    `Checked${status === undefined ? '' : ` (status ${status})`}: ${notes.join(' ')}`,
    ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`),
    ...(filename === undefined ? [] : [`The answer says to save it as "${filename}".`]),
  ]
}

export function tempUrlToJson(
  temp: TempUrl,
  target: Target,
  check: TempUrlCheck | undefined,
  isPrefix = false,
): Record<string, Json> {
  const {url, method, expires, headers, fields, notes} = temp
  return {
    target: formatTarget(target),
    container: target.container,
    key: target.key,
    method,
    url,
    expires: expires.toISOString(),
    headers,
    ...(fields === undefined ? {} : {fields}),
    ...(isPrefix ? {isPrefix} : {curl: writeCurl(temp, target)}),
    notes,
    ...(check === undefined ? {} : {check: checkToJson(check)}),
  }
}

export function checkToJson({works, status, headers, filename, notes}: TempUrlCheck): Json {
  return {
    works: works ?? null,
    status: status ?? null,
    headers,
    ...(filename === undefined ? {} : {filename}),
    notes,
  }
}
