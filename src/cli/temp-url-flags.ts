import {randomUUID} from 'node:crypto'
import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import type {Target, TempUrlDigest, TempUrlMethod, TempUrlOptions} from '../stores/store.ts'
import {DEFAULT_EXPIRY, expiryFlags} from './expiry.ts'
import {pairFlag, sizeFlag} from './flags.ts'
import {readMetadata} from './pairs.ts'
import {targetArgument} from './target-argument.ts'

const UPLOAD = 'UPLOAD'
const SWIFT = 'SWIFT'

export const tempUrlFlags = {
  method: Flags.string({
    char: 'X',
    description: 'the one method that the URL is for; GET unless given, POST makes a form',
    options: ['GET', 'PUT', 'HEAD', 'POST', 'DELETE'],
  }),
  ...expiryFlags,
  check: Flags.boolean({description: 'use the URL in a way that changes nothing, and tell what came of it'}),
  curl: Flags.boolean({description: 'print a curl command that uses the URL; an upload sends the file named FILE'}),
  'content-type': Flags.string({description: 'the type that must be sent', helpGroup: UPLOAD, helpValue: 'TYPE'}),
  'content-length': sizeFlag({description: 'the size that the body must have', helpGroup: UPLOAD}),
  'content-md5': Flags.string({description: 'the MD5 that the body must have', helpGroup: UPLOAD, helpValue: 'BASE64'}),
  metadata: pairFlag({
    char: 'm',
    description: 'metadata that must be sent; may be given several times',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: UPLOAD,
  }),
  'write-once': Flags.boolean({
    description: 'the URL can never replace an object, only make one; fails where the store does not know it',
    helpGroup: UPLOAD,
  }),
  'max-size': sizeFlag({description: 'make a form that takes at most so much', helpGroup: UPLOAD}),
  'random-key': Flags.boolean({
    description: 'a new random key under the target, so that nothing there can be replaced',
    helpGroup: UPLOAD,
  }),
  prefix: Flags.boolean({
    description: 'the URL is for every object whose key starts with that of the target; of a container, for all in it',
    helpGroup: SWIFT,
  }),
  ip: Flags.string({
    description: 'the URL works from this address only, or from these: 203.0.113.7, 203.0.113.0/24',
    helpGroup: SWIFT,
    helpValue: 'ADDRESS',
  }),
  digest: Flags.string({
    description: 'how to sign; the best that the cluster takes unless given',
    options: ['sha1', 'sha256', 'sha512'],
    helpGroup: SWIFT,
  }),
}

export interface TempUrlFlags {
  readonly method?: string | undefined
  readonly expires?: number | undefined
  readonly 'allow-shorter': boolean
  readonly 'content-type'?: string | undefined
  readonly 'content-length'?: number | undefined
  readonly 'content-md5'?: string | undefined
  readonly metadata?: readonly (readonly [string, string])[] | undefined
  readonly 'write-once': boolean
  readonly 'max-size'?: number | undefined
  readonly 'random-key': boolean
  readonly prefix: boolean
  readonly ip?: string | undefined
  readonly digest?: string | undefined
}

/** Returns the object that the URL is for, or with `--prefix` how the keys of all of them start. Fails `usage`. */
export function tempUrlTarget(text: string, flags: TempUrlFlags & {readonly curl: boolean}): Target {
  if (flags.prefix) {
    refuseBesidePrefix(flags)
    return targetArgument(text, 'container')
  }
  if (!flags['random-key']) return targetArgument(text, 'object')
  if (!['PUT', 'POST'].includes(methodOf(flags))) {
    throw new Failure(
      'usage',
      `--random-key is for an upload: nothing stands there that ${methodOf(flags)} could use.`,
      {
        suggestion: 'Add -X PUT, or leave --random-key away.',
      },
    )
  }
  const {key, ...place} = targetArgument(text, 'container')
  const folder = key === '' || key.endsWith('/') ? key : `${key}/`
  return {...place, key: folder + randomUUID()}
}

/** Makes the options of a temp URL from flags. */
export function readTempUrlOptions(flags: TempUrlFlags): TempUrlOptions {
  const named = {
    contentType: flags['content-type'],
    contentLength: flags['content-length'],
    contentMd5: flags['content-md5'],
    metadata: readMetadata(flags.metadata),
    maxSize: flags['max-size'],
    writeOnce: flags['write-once'] || undefined,
    isPrefix: flags.prefix || undefined,
    ipRange: flags.ip,
    digest: flags.digest as TempUrlDigest | undefined,
    allowShorter: flags['allow-shorter'] || undefined,
  }
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
  return {method: methodOf(flags), expiresIn: flags.expires ?? DEFAULT_EXPIRY, ...given}
}

function refuseBesidePrefix(flags: TempUrlFlags & {readonly curl: boolean}): void {
  if (flags['random-key']) {
    throw new Failure('usage', '--prefix and --random-key do not go together: one is for many keys, one for a new one.')
  }
  if (!flags.curl) return
  throw new Failure('usage', '--prefix and --curl do not go together: a command needs one whole key.', {
    suggestion: 'Leave --curl away; the rest of a key goes in front of the "?" of the URL.',
  })
}

/** A largest size means a form, and a form is a POST. */
function methodOf({method, 'max-size': maxSize}: TempUrlFlags): TempUrlMethod {
  return (method ?? (maxSize === undefined ? 'GET' : 'POST')) as TempUrlMethod
}
