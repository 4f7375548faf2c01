import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import type {CorsRule} from '../stores/store.ts'
import {durationFlag} from './flags.ts'

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']
const LONGEST_IN_SECONDS = 2 ** 31 - 1
const several = {multiple: true, multipleNonGreedy: true} as const

export const corsFlags = {
  origin: Flags.string({
    description:
      'where the page comes from: https://example.com, https://*.example.com, * for all, or null for pages opened from a file; may be given several times',
    required: true,
    ...several,
  }),
  method: Flags.string({
    description: 'what the page may do; GET and HEAD unless given; may be given several times',
    options: METHODS,
    ...several,
  }),
  header: Flags.string({
    description: 'header that the page may send, * for all; may be given several times',
    ...several,
  }),
  expose: Flags.string({description: 'header that the page may read; may be given several times', ...several}),
  'max-age': durationFlag({description: 'how long a browser may remember the answer'}),
  preset: Flags.string({
    description: 'browser-upload: PUT, POST, GET and HEAD, all headers (Content-MD5 among them), ETag exposed, 1 hour',
    options: ['browser-upload'],
  }),
}

interface CorsFlags {
  readonly origin: readonly string[]
  readonly method?: readonly string[] | undefined
  readonly header?: readonly string[] | undefined
  readonly expose?: readonly string[] | undefined
  readonly 'max-age'?: number | undefined
  readonly preset?: string | undefined
}

/** What the upload page needs; `container create --cors-origin` makes the same. */
const BROWSER_UPLOAD = {
  methods: ['PUT', 'POST', 'GET', 'HEAD'],
  headers: ['*'],
  expose: ['ETag'],
  maxAgeInSeconds: 3600,
}
const READ: {methods: string[]; headers: string[]; expose: string[]; maxAgeInSeconds?: number} = {
  methods: ['GET', 'HEAD'],
  headers: [],
  expose: [],
}

/** Makes one rule from flags; what is given replaces what the preset says. Fails `usage`. */
export function readCorsRule(flags: CorsFlags): CorsRule {
  const base = flags.preset === undefined ? READ : BROWSER_UPLOAD
  for (const origin of flags.origin) checkOrigin(origin)
  for (const header of [...(flags.header ?? []), ...(flags.expose ?? [])]) checkHeader(header)
  if (flags.expose?.some(header => header.includes('*'))) {
    throw new Failure('usage', '--expose: each header must be named; "*" is not known there.')
  }
  return {
    ...base,
    origins: [...new Set(flags.origin)],
    ...(flags.method === undefined ? {} : {methods: [...new Set(flags.method)]}),
    ...(flags.header === undefined ? {} : {headers: flags.header}),
    ...(flags.expose === undefined ? {} : {expose: flags.expose}),
    ...(flags['max-age'] === undefined ? {} : {maxAgeInSeconds: toSeconds(flags['max-age'])}),
  }
}

/** What a person should know of origins that fit more than they may think. */
export function originNotes(origins: readonly string[]): readonly string[] {
  return [
    ...(origins.includes('*') ? ['"*" lets every page of the web try; what it may do still needs a signature.'] : []),
    ...(origins.includes('null')
      ? [
          '"null" is the origin of every page that was opened from a file, and of sandboxed frames, whoever wrote them: right for an upload page that is mailed around, too wide for anything else.',
        ]
      : []),
  ]
}

/** Fails `usage` for what no browser sends as an origin: stores compare it letter by letter. */
export function checkOrigin(origin: string): void {
  if (origin === '*' || origin === 'null') return
  const written = /^[a-z][a-z\d+.-]*:\/\/[^/?#]/iu.test(origin) ? writeAsBrowser(origin) : undefined
  if (written === undefined) {
    throw new Failure('usage', `--origin: "${origin}" is not an origin.`, {
      suggestion: 'Write scheme and host: https://example.com, with its port where it has one; or null, or *.',
    })
  }
  if (written !== origin) {
    const goesOn = /:\/\/[^/?#]*[/?#]/u.test(origin)
    const why = goesOn ? 'goes on after the host, and an origin ends there' : 'is written in another way by browsers'
    throw new Failure('usage', `--origin: "${origin}" ${why}.`, {suggestion: `Write it as ${written}.`})
  }
  if (origin.split('*').length > 2) {
    throw new Failure('usage', `--origin: "${origin}" has more than one "*", and stores take one.`)
  }
}

/** Undefined for what has no host, or none that there can be. */
function writeAsBrowser(origin: string): string | undefined {
  // Any port is no port of a URL; `*` in a host is none of its matter.
  const [, port = ''] = /:(\d*\*)$/u.exec(origin) ?? []
  const plain = port === '' ? origin : origin.slice(0, -port.length - 1)
  if (!URL.canParse(plain)) return undefined
  const {protocol, host, origin: written} = new URL(plain)
  // Extensions of browsers have origins that `URL` does not know.
  const known = written === 'null' ? `${protocol}//${host}` : written
  return known + (port === '' ? '' : `:${port}`)
}

function checkHeader(header: string): void {
  // https://www.rfc-editor.org/rfc/rfc9110#name-tokens
  if (/^[\w!#$%&'*+.^`|~-]+$/u.test(header) && header.split('*').length <= 2) return
  throw new Failure('usage', `"${header}" cannot be the name of a header.`)
}

function toSeconds(ms: number): number {
  const seconds = Math.round(ms / 1000)
  if (seconds >= 1 && seconds <= LONGEST_IN_SECONDS) return seconds
  throw new Failure('usage', '--max-age: it must be between one second and 68 years.')
}
