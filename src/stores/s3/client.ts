import {Failure} from '../../core/failure.ts'
import type {FailureContext} from '../../core/failure.ts'
import {trimEndSlashes} from '../../core/slashes.ts'
import {send} from '../../http/send.ts'
import type {Answer, SendOptions, Wire} from '../../http/send.ts'
import type {Body} from '../../core/body.ts'
import type {Findings} from '../findings.ts'
import type {Target} from '../store.ts'
import {createExplainHead} from './explain-head.ts'
import {isRefused, toFailure} from './failures.ts'
import type {Quirks} from './quirks.ts'
import type {Refusal} from './refusal-rows.ts'
import type {Credentials, Unsigned} from './sign.ts'
import {encodeKey, encodeQuery, signHeaders} from './sign.ts'

export interface S3Settings {
  /** Absent: AWS itself. */
  readonly endpoint?: string
  /** Absent: found. */
  readonly region?: string
  /** With `renew`, fetched anew past every cache. Fails `auth`. */
  readonly credentials: (renew: boolean) => Credentials | Promise<Credentials>
  readonly quirks: Quirks
  readonly findings: Findings
  readonly wire: Wire
}

export interface S3Request {
  readonly method: string
  readonly target: Target
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
}

/** What one attempt is signed with. */
export interface Identity {
  readonly region: string
  readonly credentials: Credentials
  readonly skew: number
}

/** A refusal on its way to `attempt`, which may mend its cause before it becomes a Failure. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly refusal: Refusal
  constructor(refusal: Refusal, cause?: unknown) {
    super(refusal.message, {cause})
    this.refusal = refusal
  }
}

/** Where a container is reached: `prefix` stands before the keys. */
interface Place {
  readonly origin: string
  readonly prefix: string
}

/** One S3 endpoint as both planes see it: where it is, who we are, which region a container lives in. */
export interface S3Connection {
  readonly settings: S3Settings
  /** Name under which findings are kept. */
  readonly endpointName: string
  origin(container: string, region: string): Place
  identity(container: string): Identity | Promise<Identity>
  /**
   * Runs one operation, mends what can be mended once (wrong region, credentials that ended, a clock that is off) and
   * runs it again; then fails as `failures` translates.
   */
  attempt<T>(at: FailureContext & {container: string}, run: (identity: Identity) => Promise<T>): Promise<T>
  /** Sends one signed request on the data plane; an answer of 300 or more fails. */
  request(request: S3Request, options: SendOptions): Promise<Answer>
}

/** As much of a connection as the verbs of an upload need: a ticket has no credentials. */
export interface S3Exchange extends Pick<S3Connection, 'endpointName' | 'request'> {
  readonly settings: Pick<S3Settings, 'quirks' | 'findings' | 'wire'>
}

export function createConnection(settings: S3Settings): S3Connection {
  const endpoint = settings.endpoint === undefined ? undefined : readEndpoint(settings.endpoint)
  const regions = new Map<string, string>()
  let renewal: {readonly of: string; readonly done: Promise<Credentials>} | undefined
  let skew = 0
  /** Something has answered as S3: by a code of it, or with success to more than a HEAD, which any server answers. */
  let isKnown = false
  const explain = createExplainHead()

  const connection: S3Connection = {
    settings,
    endpointName: settings.endpoint ?? 'aws',
    origin(container, region) {
      if (endpoint !== undefined) {
        const {origin, base} = endpoint
        return {origin, prefix: container === '' ? base : `${base}/${encodeKey(container)}`}
      }
      const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
      // A dot in the name breaks the wildcard certificate of the virtual-host form.
      return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/u.test(container)
        ? {origin: `https://${container}.${host}`, prefix: ''}
        : {origin: `https://${host}`, prefix: container === '' ? '' : `/${encodeKey(container)}`}
    },
    identity(container) {
      const identify = (credentials: Credentials): Identity => ({
        region: regions.get(container) ?? settings.region ?? settings.quirks.defaultRegion,
        credentials,
        skew,
      })
      const credentials = renewal?.done ?? settings.credentials(false)
      return credentials instanceof Promise ? credentials.then(identify) : identify(credentials)
    },
    async attempt(at, run) {
      const mended = new Set<string>()
      for (;;) {
        const identified = connection.identity(at.container)
        const identity = identified instanceof Promise ? await identified : identified
        try {
          return await run(identity)
        } catch (error) {
          if (!(error instanceof Refused)) throw error
          const {refusal} = error
          isKnown ||= refusal.providerCode !== ''
          const cure = findCure(refusal, identity, at.container)
          if (cure === undefined || mended.has(cure.name)) throw toFailure({...refusal, isKnown}, at, error.cause)
          mended.add(cure.name)
          await cure.apply()
        }
      }
    },
    request(request, options) {
      const {container, key} = request.target
      const at = {container, ...(key === '' ? {} : {key}), method: request.method}
      return connection.attempt(at, async identity => {
        let place = connection.origin(container, identity.region)
        for (let hop = 0; ; hop++) {
          const answer = await sendSigned(settings.wire, request, place, identity, options)
          const next = hop < 3 ? redirectOf(answer, place.origin) : undefined
          if (next === undefined) {
            if (isRefused(answer, request.method)) {
              const from = place
              throw new Refused(
                await explain(request, answer, options, (each, how) =>
                  sendSigned(settings.wire, each, from, identity, how),
                ),
              )
            }
            if (request.method !== 'HEAD') isKnown = true
            return answer
          }
          place = {...place, origin: next}
        }
      })
    },
  }

  function findCure(refusal: Refusal, used: Identity, container: string) {
    if (refusal.region !== undefined && refusal.region !== used.region) {
      const region = refusal.region
      return {name: 'region', apply: async () => void regions.set(container, region)}
    }
    const failure = toFailure(refusal)
    if (refusal.providerCode === 'RequestTimeTooSkewed') {
      const date = refusal.headers['date']
      const truth = typeof date === 'string' ? Date.parse(date) : Number.NaN
      // A year of five digits can stand in no signature.
      if (truth >= 0 && truth < Date.UTC(10_000))
        return {name: 'clock', apply: async () => void (skew = truth - Date.now())}
    }
    if (failure.code === 'expired' || refusal.providerCode === 'InvalidToken') {
      return {name: 'credentials', apply: () => renewCredentials(used.credentials)}
    }
    return undefined
  }

  /** Many parts fail at once when credentials end; the first fetches new ones for all. */
  async function renewCredentials(used: Credentials): Promise<void> {
    const of = nameOf(used)
    if (renewal?.of !== of) {
      const started = {of, done: (async () => settings.credentials(true))()}
      renewal = started
      const forget = (): void => void (renewal === started && (renewal = undefined))
      // What did not help is no reason not to ask again later.
      started.done.then(found => nameOf(found) === of && forget(), forget)
    }
    await renewal.done
  }

  return connection
}

function readEndpoint(endpoint: string): {readonly origin: string; readonly base: string} {
  const {origin, pathname} = new URL(endpoint)
  return {origin, base: trimEndSlashes(pathname)}
}

function nameOf({accessKeyId, sessionToken = ''}: Credentials): string {
  return `${accessKeyId} ${sessionToken}`
}

function sendSigned(
  wire: Wire,
  request: S3Request,
  place: Place,
  identity: Identity,
  options: SendOptions,
): Promise<Answer> {
  const {key} = request.target
  const query = request.query ?? {}
  const path = key === '' && place.prefix !== '' ? place.prefix : `${place.prefix}/${encodeKey(key)}`
  const unsigned: Unsigned = {method: request.method, origin: place.origin, path, query, headers: request.headers ?? {}}
  const headers = signHeaders(unsigned, identity)
  const search = encodeQuery(query)
  return send(
    wire,
    {
      method: request.method,
      origin: place.origin,
      path: search === '' ? path : `${path}?${search}`,
      headers,
      ...(request.body === undefined ? {} : {body: request.body}),
    },
    options,
  )
}

/** A 307 names another host for this one request; the signature covers the host, so it is signed anew. */
function redirectOf(answer: Answer, origin: string): string | undefined {
  const {location} = answer.headers
  if (answer.status !== 307 || location === undefined || !URL.canParse(location, origin)) return undefined
  const next = new URL(location, origin)
  if (next.protocol !== new URL(origin).protocol) {
    throw new Failure('config', `The store redirects to ${next.protocol}//${next.host}, which is refused.`)
  }
  return next.origin
}
