import type {Call, LinkStore, Target} from '../stores/store.ts'
import type {SwiftWholeTicket} from '../stores/ticket/ticket.ts'
import type {TicketWish} from '../stores/open.ts'

/** Stands for the random name that the page gives to each file. */
const HOLE = '{name}'

/**
 * Makes a ticket with a hole for the name: one temp URL of Swift for a prefix is good for any number of whole PUTs under
 * it. The prefix is random, so that nothing else can be written.
 */
export async function mintPrefixTicket(
  store: Pick<LinkStore, 'tempUrl'>,
  {key, ...place}: Target,
  {expiresIn, allowShorter = false, size, contentType}: TicketWish,
  call: Call,
): Promise<SwiftWholeTicket> {
  const prefix = {...place, key: `${key}/`}
  const options = {method: 'PUT', isPrefix: true, expiresIn, allowShorter} as const
  const {url, expires} = await store.tempUrl(prefix, options, call)
  return {
    skyliftTicket: 1,
    kind: 'swift',
    assemble: 'whole',
    target: {...place, key: prefix.key + HOLE},
    created: new Date().toISOString(),
    expires: expires.toISOString(),
    size,
    contentType,
    uploadId: HOLE,
    put: url.replace('?', `${HOLE}?`),
    headers: {'content-type': contentType},
  }
}
