import type {Body} from '../../core/body.ts'
import {Failure} from '../../core/failure.ts'
import {send} from '../../http/send.ts'
import type {Answer, SendOptions, Wire} from '../../http/send.ts'
import type {Target} from '../store.ts'
import type {Access, Place} from './access.ts'
import {placeOf} from './access.ts'
import {encodePath, encodeQuery} from './encode.ts'
import {readRefusal, toFailure} from './failures.ts'
import {askInfo} from './info.ts'
import type {Quirks} from './quirks.ts'
import {rememberWork, shareWork} from './shared-work.ts'
import type {SharedWork} from './shared-work.ts'

export interface SwiftSettings {
  /** Names the store: the same for the same account, whatever its remote is called. No secret. */
  readonly endpointName: string
  /** Where the storage URL is known without a sign-in. */
  readonly storageUrl?: string
  /** Signs in anew. Fails `auth`, `config`. */
  readonly signIn: (signal: AbortSignal) => Promise<Access>
  readonly wire: Wire
  /** Absent: `<container>_segments`. */
  readonly segmentContainer?: string
  /** For temp URLs; read from the account or the container where it is not given. */
  readonly tempUrlKey?: string
  /** Entries of one page of a listing; the store's own where it is absent. */
  readonly pageSize?: number
}

export interface SwiftRequest {
  readonly method: string
  /** Without a container it is the account. */
  readonly target: Pick<Target, 'container' | 'key'>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  /** Statuses from 300 on that are answers here, and no failures. */
  readonly accepts?: readonly number[]
}

/** One account of one cluster: where it is, who we are, what it can do. */
export interface SwiftConnection {
  readonly settings: SwiftSettings
  /** Signs in only where that is the way to know. */
  place(signal: AbortSignal): Promise<Place>
  /** Signs in where nobody did yet. */
  access(signal: AbortSignal): Promise<Access>
  /** Sends one request; an answer of 300 or more fails as `failures` translates. Renews the token once on a 401. */
  request(request: SwiftRequest, options: SendOptions): Promise<Answer>
  /** Memoised; what is usual where the cluster does not tell. */
  quirks(signal: AbortSignal): Promise<Quirks>
}

export function createConnection(settings: SwiftSettings): SwiftConnection {
  const {wire} = settings
  const firstAccess = rememberWork(settings.signIn)
  let renewed: Access | undefined
  let renewal: {readonly of: Access; readonly work: SharedWork<Access>} | undefined

  async function currentAccess(signal: AbortSignal): Promise<Access> {
    if (renewal !== undefined) return renewal.work.join(signal)
    return renewed ?? firstAccess(signal)
  }

  /** Many parts fail at once when a token ends; the first fetches a new one for all. */
  async function renewAccess(used: Access, signal: AbortSignal): Promise<void> {
    const known = renewed ?? (await firstAccess(signal))
    if (known !== used) return
    if (renewal?.of !== used) renewal = {of: used, work: shareWork(settings.signIn)}
    const current = renewal
    try {
      renewed = await current.work.join(signal)
    } finally {
      // What did not help is no reason not to ask again later.
      if (renewal === current) renewal = undefined
    }
  }

  function sendOnce(request: SwiftRequest, access: Access, options: SendOptions): Promise<Answer> {
    const {method, target, query = {}, headers = {}, body} = request
    if (access.token === undefined) throw noToken()
    const {origin, path: account} = placeOf(settings.storageUrl ?? access.storageUrl)
    const search = encodeQuery(query)
    return send(
      wire,
      {
        method,
        origin,
        path: `${account}${pathOf(target)}${search === '' ? '' : `?${search}`}`,
        headers: {...headers, 'x-auth-token': access.token},
        ...(body === undefined ? {} : {body}),
      },
      options,
    )
  }

  return {
    settings,
    access: currentAccess,

    async place(signal) {
      return placeOf(settings.storageUrl ?? (await currentAccess(signal)).storageUrl)
    },

    async request(request, options) {
      const {container, key} = request.target
      for (let isRenewed = false; ; isRenewed = true) {
        const access = await currentAccess(options.signal)
        const answer = await sendOnce(request, access, options)
        if (answer.status < 300 || request.accepts?.includes(answer.status) === true) return answer
        if (answer.status === 401 && !isRenewed) {
          await renewAccess(access, options.signal)
          continue
        }
        const context = {method: request.method, ...(container === '' ? {} : {container}), ...(key === '' ? {} : {key})}
        throw toFailure(readRefusal(answer), context)
      }
    },

    quirks: rememberWork(async signal => {
      const place = placeOf(settings.storageUrl ?? (await currentAccess(signal)).storageUrl)
      return askInfo(wire, place, signal)
    }),
  }
}

/** Returns the path of a target below its account, as it goes over the wire. */
export function pathOf({container, key}: Pick<Target, 'container' | 'key'>): string {
  if (container === '') return ''
  return key === '' ? `/${encodePath(container)}` : `/${encodePath(container)}/${encodePath(key)}`
}

function noToken(): Failure {
  return new Failure('auth', 'There is a storage URL but no token, so the store cannot be asked.', {
    suggestion:
      'Set OS_AUTH_TOKEN too, or sign in another way: OS_CLOUD, OS_*, or ST_AUTH, ST_USER and ST_KEY. For temp URLs OS_TEMP_URL_KEY is enough.',
  })
}
