import {readFile} from 'node:fs/promises'
import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Destination} from '../core/target.ts'

export const urlFlags = {
  'url-file': Flags.string({
    description: 'read the temp URL (or the JSON that temp-url --json prints) from a file, - for stdin; no TARGET then',
    helpGroup: 'URL',
    helpValue: 'FILE',
  }),
  post: Flags.string({
    description: 'upload by a form: the JSON that temp-url --max-size --json prints, - for stdin; no TARGET then',
    helpGroup: 'URL',
    helpValue: 'FILE',
  }),
}

export interface UrlFlags {
  readonly 'url-file'?: string | undefined
  readonly post?: string | undefined
}

/** A URL with its form is a few kilobytes. */
const MOST = 1024 * 1024

/** Reads where an upload goes from a file; undefined where the command line says it. Fails `usage`, `config`. */
export async function readUrlFlags(flags: UrlFlags): Promise<Destination | undefined> {
  const file = flags['url-file'] ?? flags.post
  if (file === undefined) return undefined
  const flag = flags.post === undefined ? '--url-file' : '--post'
  if (flags['url-file'] !== undefined && flags.post !== undefined) {
    throw new Failure('usage', '--url-file and --post both say where it goes.', {suggestion: 'Leave one of them away.'})
  }
  if (/^https?:/iu.test(file)) {
    throw new Failure('usage', `${flag} wants the name of a file, and that is a URL.`, {
      suggestion: 'A URL itself is the last word of the command.',
    })
  }
  const text = (file === '-' ? await readStdin(flag) : await readUrlFile(file, flag)).trim()
  const given = text.startsWith('{') ? readDocument(text, flag) : ({kind: 'url', url: readLine(text, flag)} as const)
  if (flags.post !== undefined && given.fields === undefined) {
    throw new Failure('usage', '--post wants a form: a JSON document with "url" and "fields".', {
      suggestion: 'Make one with: skylift temp-url TARGET --max-size SIZE --json. A plain URL goes to --url-file.',
    })
  }
  return given
}

type UrlGiven = Destination & {readonly kind: 'url'}

function readLine(text: string, flag: string): string {
  if (text === '') throw new Failure('usage', `${flag} names nothing: there is no URL in it.`)
  if (!/\s/u.test(text)) return text
  throw new Failure('usage', `${flag} wants one URL, and there is more than one word.`)
}

function readDocument(text: string, flag: string): UrlGiven {
  try {
    const {url, method, headers, fields} = JSON.parse(text) as Record<string, unknown>
    if (typeof url === 'string' && isWord(method) && isTexts(headers) && isTexts(fields)) {
      return {
        kind: 'url',
        url,
        ...(method === undefined ? {} : {method}),
        ...(headers === undefined ? {} : {headers}),
        ...(fields === undefined ? {} : {fields}),
      }
    }
  } catch {
    // Told below; the parser's own words would repeat what stands there.
  }
  throw new Failure('usage', `${flag} names JSON that "skylift temp-url --json" does not print.`, {
    suggestion: 'It has "url", and "headers" or "fields" where some must be sent.',
  })
}

function isWord(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> | undefined {
  if (value === undefined) return true
  return typeof value === 'object' && value !== null && Object.values(value).every(each => typeof each === 'string')
}

async function readUrlFile(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is none' : code === 'EACCES' ? 'you may not read it' : 'it is not a file'
    throw new Failure(code === 'ENOENT' ? 'usage' : 'config', `${flag} "${printable(path)}" cannot be read: ${why}.`, {
      cause: error,
      suggestion: 'Name a file with a temp URL in it, or - for stdin.',
    })
  }
}

async function readStdin(flag: string): Promise<string> {
  if (process.stdin.isTTY) {
    throw new Failure('usage', `${flag} - reads stdin, and nothing is piped into it.`)
  }
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    pieces.push(piece)
    if ((size += piece.length) > MOST) throw new Failure('usage', `What comes from stdin is no URL: it is too long.`)
  }
  return Buffer.concat(pieces).toString('utf8')
}
