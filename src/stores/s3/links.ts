import {Failure} from '../../core/failure.ts'
import type {Call, LinkOptions, LinkStore, ObjectInfo, Target, TempUrl, TempUrlOptions} from '../store.ts'
import type {S3Connection} from './client.ts'
import {findProblem, makeDisposition} from './disposition.ts'
import {createRegions} from './find-region.ts'
import {decideLifetime} from './lifetime.ts'
import {createPresign, encodeKey} from './sign.ts'
import {signForm} from './post-policy.ts'
import {checkTempUrlOptions, formFields, keyNotes, putHeaders, securityNote} from './temp-url-options.ts'
import {createWriteOnce} from './write-once.ts'

/**
 * Makes the temp URLs of S3. With the keys and the region at hand nothing is asked of the network; only AWS without a
 * region, and `writeOnce` on a store of which it is not known, are.
 */
export function createLinks(
  connection: S3Connection,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): LinkStore {
  const {quirks} = connection.settings
  const regions = createRegions(connection)
  const checkWriteOnce = createWriteOnce(connection, head)

  async function tempUrl(target: Target, options: TempUrlOptions, call: Call): Promise<TempUrl> {
    checkTempUrlOptions(target, options)
    if (options.method === 'POST' || options.maxSize !== undefined) return makeForm(target, options, call)
    const identity = await regions.identity(target.container, call)
    const lifetime = decideLifetime(options, identity)
    if (options.writeOnce === true) await checkWriteOnce(target, call)
    const {method} = options
    const headers = method === 'PUT' ? putHeaders(options) : {}
    const query = {
      ...(options.responseDisposition === undefined
        ? {}
        : {'response-content-disposition': options.responseDisposition}),
      ...(options.responseContentType === undefined ? {} : {'response-content-type': options.responseContentType}),
    }
    const {origin, prefix} = connection.origin(target.container, identity.region)
    const path = `${prefix}/${encodeKey(target.key)}`
    return {
      url: createPresign({origin, path}, identity, lifetime.seconds)({method, query, headers}).url,
      method,
      expires: lifetime.end,
      headers,
      notes: [securityNote(options), ...lifetime.notes, ...keyNotes(target.key)],
    }
  }

  /** A form is the only way to limit the size of an upload without fixing it. */
  async function makeForm(target: Target, options: TempUrlOptions, call: Call): Promise<TempUrl> {
    const {container, key} = target
    const identity = await regions.identity(container, call)
    const lifetime = decideLifetime(options, identity)
    const max = options.contentLength ?? options.maxSize ?? quirks.limits.whole
    const form = {container, key, min: options.contentLength ?? 0, max, fields: formFields(options)}
    const {origin, prefix} = connection.origin(container, identity.region)
    // What is known to follow AWS in all that is probed is taken to follow it here too.
    const isLikeAws = quirks.verifiesCrc32 === true && quirks.conditionalPut === true
    return {
      url: `${origin}${prefix || '/'}`,
      method: 'POST',
      expires: lifetime.end,
      headers: {},
      fields: signForm(form, identity, lifetime),
      notes: [
        securityNote(options),
        ...lifetime.notes,
        ...(isLikeAws ? [] : ['Not every store takes forms (POST policy): try this one before you hand it on.']),
      ],
    }
  }

  return {
    tempUrl,

    async link(target, options, call) {
      const {value, notes} = linkDisposition(target, options)
      const {expiresIn, allowShorter, contentType} = options
      const made = await tempUrl(
        target,
        {
          method: 'GET',
          expiresIn,
          responseDisposition: value,
          ...(allowShorter === undefined ? {} : {allowShorter}),
          ...(contentType === undefined ? {} : {responseContentType: contentType}),
        },
        call,
      )
      return {...made, notes: [...made.notes, ...notes]}
    },

    async publicUrl(target, call) {
      if (target.key === '') throw new Failure('usage', 'A public URL needs a key.')
      const {origin, prefix} = connection.origin(target.container, await regions.find(target.container, call))
      return `${origin}${prefix}/${encodeKey(target.key)}`
    },
  }
}

/** Without a name of the person's, the object's own serves where a file can have it. */
function linkDisposition(target: Target, {filename, inline}: LinkOptions) {
  const type = inline === true ? 'inline' : 'attachment'
  const own = target.key.slice(target.key.lastIndexOf('/') + 1)
  if (filename === undefined && findProblem(own) !== undefined) return {value: type, notes: []}
  return makeDisposition(filename ?? own, type)
}
