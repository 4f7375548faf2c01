import {GIB} from '../../core/sizes.ts'
import {Failure} from '../../core/failure.ts'
import type {Wire} from '../../http/send.ts'
import type {Limits, UploadStore} from '../store.ts'
import {createFormPost} from './post-form.ts'
import {createS3Put} from './put-s3.ts'
import {createSwiftPut} from './put-swift.ts'
import type {SignedUrl} from './signed-url.ts'

/** What every store takes at once that says nothing of itself. */
const LIMITS: Limits = {whole: 5 * GIB, object: 5 * GIB, key: 1024}

/** A URL as a store of one object, or of those that start alike: whole or not at all, nothing to resume. */
export function openUrlStore(url: SignedUrl, wire: Wire): UploadStore {
  const put = createPut(url, wire)
  return {
    endpoint: `URL at ${url.origin}`,
    limits: () => Promise.resolve(LIMITS),
    async putWhole(target, body, options, call) {
      const {remote, container, key} = target
      return {...(await put(target, body, options, call)), target: {remote, container, key}}
    },
    begin: noParts,
    putPart: noParts,
    listParts: noParts,
    complete: noParts,
    abort: () => Promise.resolve(),
  }
}

function createPut(url: SignedUrl, wire: Wire): UploadStore['putWhole'] {
  switch (url.kind) {
    case 's3':
      return createS3Put(url, wire)
    case 'swift':
      return createSwiftPut(url, wire)
    default:
      return createFormPost(url, wire)
  }
}

function noParts(): never {
  throw new Failure('unsupported', 'A URL is for one PUT, not for parts.')
}
