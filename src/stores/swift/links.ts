import {Failure, isFailure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {Call, KeyStore, LinkStore, Target, TempUrl, TempUrlDigest, TempUrlOptions} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {pathOf} from './client.ts'
import type {Quirks} from './quirks.ts'
import {signTempUrl} from './temp-url.ts'
import type {FoundKey} from './temp-url-keys.ts'
import {createKeySearch} from './temp-url-keys.ts'
import {checkTempUrlOptions, putHeaders, readDisposition, readNaming} from './temp-url-options.ts'
import type {Naming} from './temp-url-options.ts'

/** Makes the temp URLs of Swift. With storage URL, key and digest at hand nothing is asked of the network. */
export function createLinks(connection: SwiftConnection, keys: KeyStore): LinkStore {
  const findKey = createKeySearch(connection, keys)

  async function chooseDigest({digest, method}: TempUrlOptions, {signal}: Call): Promise<TempUrlDigest> {
    if (connection.settings.tempUrlKey === undefined) return digestFor(await connection.quirks(signal), method, digest)
    if (digest !== undefined) return digest
    try {
      return digestFor(await connection.quirks(signal), method, digest)
    } catch (error) {
      if (!isFailure(error, 'network')) throw error
      const {message, context, retryable, cause} = error
      const suggestion = 'Name the digest that the cluster takes, as --digest sha256: nothing is asked then.'
      throw new Failure('network', message, {context, retryable, cause, suggestion})
    }
  }

  async function sign(target: Target, options: TempUrlOptions, naming: Naming, call: Call): Promise<TempUrl> {
    const {method, ipRange, isPrefix} = options
    const {origin, path: account} = await connection.place(call.signal)
    const digest = await chooseDigest(options, call)
    const found = await findKey(target, call)
    const expires = Math.floor((Date.now() + options.expiresIn) / 1000)
    const unsigned = {
      method,
      origin,
      // Signed raw, sent encoded.
      path: `${decodeURIComponent(account)}/${target.container}/${target.key}`,
      expires,
      ...(isPrefix === true ? {prefix: target.key} : {}),
      ...(ipRange === undefined ? {} : {ipRange}),
      ...naming,
    }
    const headers = method === 'PUT' ? putHeaders(options) : {}
    return {
      url: signTempUrl(unsigned, found.key, digest),
      method,
      expires: new Date(expires * 1000),
      headers,
      notes: [
        securityNote(options),
        ...keyNotes(target, options, found),
        ...(Object.keys(headers).length > 0
          ? ['Swift does not bind the URL to its headers: whoever holds it may send others.']
          : []),
      ],
    }
  }

  return {
    async tempUrl(target, options, call) {
      checkTempUrlOptions(target, options)
      return sign(target, options, readDisposition(options.responseDisposition), call)
    },

    async link(target, options, call) {
      const naming = readNaming(options)
      const {expiresIn, allowShorter, contentType} = options
      const wish: TempUrlOptions = {
        method: 'GET',
        expiresIn,
        ...(allowShorter === undefined ? {} : {allowShorter}),
        ...(contentType === undefined ? {} : {responseContentType: contentType}),
      }
      checkTempUrlOptions(target, wish)
      const made = await sign(target, wish, naming, call)
      return {...made, notes: [...made.notes, ...namingNotes(naming)]}
    },

    async publicUrl(target, call) {
      if (target.key === '') throw new Failure('usage', 'A public URL needs a key.')
      const {origin, path} = await connection.place(call.signal)
      return `${origin}${path}${pathOf(target)}`
    },
  }
}

/** Fails `unsupported` where the cluster has no temp URLs, or none for this method; `usage` for a digest it does not take. */
function digestFor(
  {digests, methods}: Quirks,
  method: TempUrlOptions['method'],
  wish: TempUrlDigest | undefined,
): TempUrlDigest {
  if (digests?.length === 0) {
    throw new Failure('unsupported', 'This cluster says that it has no temp URLs.', {
      suggestion:
        'Have its operator switch "tempurl" on, or share the container: container create TARGET --public-read.',
    })
  }
  if (methods?.includes(method) === false) {
    throw new Failure('unsupported', `This cluster has no temp URLs for ${method}: it has them for ${list(methods)}.`)
  }
  if (wish === undefined) return digests?.[0] ?? 'sha256'
  if (digests === undefined || digests.includes(wish)) return wish
  throw new Failure('usage', `The cluster does not take ${wish} for temp URLs.`, {
    suggestion: `Take one of ${list(digests)} with --digest, or leave it out.`,
  })
}

function list(words: readonly string[]): string {
  return printable(words.join(', '))
}

/** What whoever holds the URL can do with it. */
function securityNote({method, isPrefix}: TempUrlOptions): string {
  const object = isPrefix === true ? 'every object whose key starts so' : 'this object'
  const what: Record<TempUrlOptions['method'], string> = {
    GET: `download ${object}`,
    HEAD: `see size and metadata of ${object}`,
    DELETE: `delete ${object}`,
    POST: `change the metadata of ${object}`,
    PUT: `write ${object}, and write over it,`,
  }
  return `Whoever holds this URL can ${what[method]} until it ends.`
}

function keyNotes({key}: Target, {method}: TempUrlOptions, {of}: FoundKey): string[] {
  return [
    ...(key.split('/').some(segment => segment === '.' || segment === '..')
      ? ['The key has "." or ".." between slashes: browsers cannot use this URL, and curl needs --path-as-is.']
      : []),
    ...(of === 'given'
      ? ['It is signed with the Temp-URL key that was given; whether the account has that key was not asked.']
      : []),
    ...(of === 'container' && method === 'GET'
      ? [
          "It is signed with the container's key, which does not open a large object whose segments are in another container.",
        ]
      : []),
  ]
}

// https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
function namingNotes({filename, isInline}: Naming): string[] {
  if (isInline === true) return []
  return filename === undefined
    ? ['Where the object has a Content-Disposition of its own, that names the download; else its key does.']
    : ['The name is put in place of any Content-Disposition that the object has of its own.']
}
