import {Failure} from '../core/failure.ts'
import type {UrlDestination} from '../core/target.ts'
import {openUrl, readSignedUrl} from '../stores/open.ts'
import {harmless} from './github.ts'
import {readObjectOptions} from './object-options.ts'
import type {ObjectFlags} from './object-options.ts'
import type {KeepFlags} from './keep.ts'
import type {FoundDestination} from './open-destination.ts'
import {DEFAULT_CONCURRENCY, FIRST_CONTACT, RETRY_FOR} from './open-target.ts'
import type {OpenTargetOptions} from './open-target.ts'
import {describeUrl} from './url-words.ts'
import {createWire} from './wire.ts'

type UrlUploadFlags = OpenTargetOptions['flags'] &
  KeepFlags &
  ObjectFlags & {
    readonly link?: boolean
    readonly quiet?: boolean
    readonly progress?: string
    readonly json?: boolean
  }

/**
 * Finds what a signed URL is for, without credentials, settings or the network. Fails `usage`, `unsupported`, and
 * `expired`.
 */
export async function findUrl(
  {url, method, headers = {}, fields}: UrlDestination,
  {flags, concurrency, isSdk, wire}: Omit<OpenTargetOptions, 'flags'> & {readonly flags: UrlUploadFlags},
): Promise<FoundDestination> {
  refuseFlags(flags, isSdk === true)
  const type = flags['content-type']
  const signed = await readSignedUrl(
    {
      url,
      // What a person says is exact; what is guessed by the name is not.
      headers: type === undefined ? headers : {...headers, 'content-type': type},
      ...(method === undefined ? {} : {method}),
      ...(fields === undefined ? {} : {fields}),
    },
    await readObjectOptions(flags, ''),
  )
  return {
    target: signed.target,
    forSeveral: 'Ask for a temp URL for a prefix (Swift), or for one for each file.',
    async open() {
      tell(describeUrl(signed), flags)
      const wished = flags['retry-for']
      const store = await openUrl(signed, {
        wire: wire ?? createWire(flags),
        concurrency: concurrency ?? DEFAULT_CONCURRENCY,
        retry: {retryFor: wished ?? RETRY_FOR, ...(wished === undefined ? {firstContact: FIRST_CONTACT} : {})},
      })
      return {store}
    },
  }
}

function tell(line: string, {quiet = false, progress = 'auto', json = false}: UrlUploadFlags): void {
  if (quiet || json || ['json', 'none'].includes(progress)) return
  process.stderr.write(`${harmless(line)}\n`)
}

function refuseFlags({link, resume}: UrlUploadFlags, isSdk: boolean): void {
  if (link === true) {
    throw new Failure('usage', 'A temp URL is for this upload: it can make no --link.', {
      suggestion: 'Leave --link away; who owns the container can make one (skylift link).',
    })
  }
  if (isSdk) {
    throw new Failure('unsupported', 'The AWS SDK cannot send by a URL.', {suggestion: 'Leave --engine away.'})
  }
  if (resume === 'store') {
    throw new Failure('unsupported', 'An upload by a URL goes in one request: there is nothing to go on with.', {
      suggestion: 'Leave --resume away, or ask for a ticket (skylift ticket create): that goes on.',
    })
  }
}
