import {isFailure} from '../../core/failure.ts'
import type {FailureCode} from '../../core/failure.ts'
import type {Wire} from '../../http/send.ts'
import {sendPlainly} from '../../stores/open.ts'
import type {PlainRequest} from '../../stores/open.ts'
import type {Call} from '../../stores/store.ts'
import {checkExposed, checkMixed, checkOrigin, checkPreflight, isByWildcard, needsPreflight} from './browser-rules.ts'
import type {CorsAnswer, PageRequest, Refusal} from './browser-rules.ts'

/** One thing that the browser did for the page. */
export interface Step {
  readonly step: 'address' | 'preflight' | 'answer' | 'expose'
  readonly isAllowed: boolean
  readonly status?: number
  readonly message: string
  readonly remedy?: string
  /** Of what kept the request from being answered at all. */
  readonly code?: FailureCode
}

export interface Visit extends PageRequest {
  readonly url: string
  /** Headers and body that make the real request harmless. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** What the page reads of the answer. */
  readonly reads: readonly string[]
}

/** Browsers follow twenty; nobody has that many on purpose. */
const MOST_HOPS = 20

/** Does what a browser does when a page sends a request: preflight, request, redirects. Ends at the first refusal. */
export async function actAsPage(visit: Visit, wire: Wire, call: Call): Promise<readonly Step[]> {
  const steps: Step[] = []
  let page: Visit | undefined = visit
  for (let hop = 0; page !== undefined && hop <= MOST_HOPS; hop++) {
    const {steps: taken, next} = await takeHop(page, wire, call)
    steps.push(...taken)
    page = next
  }
  const loop = {message: 'It is redirected for ever.', remedy: 'Look at the endpoint: something goes in circles.'}
  return page === undefined ? steps : [...steps.slice(0, 2), refuse('answer', loop)]
}

interface Hop {
  readonly steps: readonly Step[]
  /** Where a redirect leads. */
  readonly next?: Visit
}

async function takeHop(page: Visit, wire: Wire, call: Call): Promise<Hop> {
  const url = new URL(page.url)
  if (url.origin === page.origin) {
    const message = `${url.origin} is the page's own origin: nothing has to be allowed.`
    return {steps: [{step: 'address', isAllowed: true, message}]}
  }
  const mixed = checkMixed(page.origin, url)
  if (mixed !== undefined) return {steps: [refuse('address', mixed)]}
  const before = needsPreflight(page) ? [await tryPreflight(page, wire, call)] : []
  if (before.some(({isAllowed}) => !isAllowed)) return {steps: before}
  const {steps, next} = await tryRequest(page, wire, call)
  return {steps: [...before, ...steps], ...(next === undefined ? {} : {next})}
}

async function tryPreflight(page: Visit, wire: Wire, call: Call): Promise<Step> {
  const answer = await ask('preflight', preflightOf(page), wire, call)
  if ('step' in answer) return answer
  const {status} = answer
  const refusal = checkPreflight(page, answer)
  if (refusal !== undefined) return {...refuse('preflight', refusal), status}
  const words = [page.method, ...page.unsafeHeaders].join(', ')
  const allowed: Step = {
    step: 'preflight',
    isAllowed: true,
    status,
    message: `${words}: the store lets the page send it.`,
  }
  return isByWildcard(page, answer) ? {...allowed, remedy: NAMED} : allowed
}

const NAMED =
  'By the standard "*" does not stand for authorization: name it (--header authorization), for browsers that are strict.'

async function tryRequest(page: Visit, wire: Wire, call: Call): Promise<Hop> {
  const answer = await ask('answer', realOf(page), wire, call)
  if ('step' in answer) return {steps: [answer]}
  const {status} = answer
  const refusal = checkOrigin(page.origin, answer, `The answer to ${page.method} (status ${status})`)
  if (refusal !== undefined) return {steps: [{...refuse('answer', refusal), status}]}
  const seen = (message: string): Step => ({step: 'answer', isAllowed: true, status, message})
  const stray = checkRedirect(page, answer)
  if (stray !== undefined) return {steps: [{...refuse('answer', stray), status}]}
  const next = followRedirect(page, answer)
  if (next !== undefined) return {steps: [seen(`It is redirected to ${new URL(next.url).origin}.`)], next}
  const steps = [seen(`${page.method}: the page may see the answer.`)]
  if (page.reads.length === 0) return {steps}
  const hidden = checkExposed(page.reads, answer)
  const read: Step = {step: 'expose', isAllowed: true, message: `${page.reads.join(', ')}: the page may read it.`}
  return {steps: [...steps, hidden === undefined ? read : refuse('expose', hidden)]}
}

function refuse(step: Step['step'], {message, remedy}: NonNullable<Refusal>): Step {
  return {step, isAllowed: false, message, remedy}
}

function preflightOf({url, origin, method, unsafeHeaders}: Visit): PlainRequest {
  return {
    method: 'OPTIONS',
    url,
    headers: {
      origin,
      'access-control-request-method': method,
      ...(unsafeHeaders.length === 0 ? {} : {'access-control-request-headers': unsafeHeaders.join(',')}),
    },
  }
}

function realOf({url, origin, method, headers, body}: Visit): PlainRequest {
  return {method, url, headers: {...headers, origin}, ...(body === undefined ? {} : {body})}
}

/** A step where nobody answered: the browser tells the page no more than that. */
async function ask(
  step: 'preflight' | 'answer',
  request: PlainRequest,
  wire: Wire,
  call: Call,
): Promise<CorsAnswer | Step> {
  try {
    return await sendPlainly(wire, request, call)
  } catch (error) {
    if (!isFailure(error, 'network', 'config', 'busy')) throw error
    const remedy = error.suggestion ?? 'Look at the way there with: skylift doctor TARGET'
    return {...refuse(step, {message: error.message, remedy}), code: error.code}
  }
}

// https://fetch.spec.whatwg.org/#http-redirect-fetch
const REDIRECTS = [301, 302, 303, 307, 308]

/** Where an answer sends the browser; undefined where it sends it nowhere. */
function placeOf({status, headers: {location}}: CorsAnswer, base: string): URL | 'nowhere' | undefined {
  if (!REDIRECTS.includes(status) || typeof location !== 'string') return undefined
  return URL.canParse(location, base) ? new URL(location, base) : 'nowhere'
}

function checkRedirect({url}: Visit, answer: CorsAnswer): Refusal {
  const place = placeOf(answer, url)
  if (place === undefined) return undefined
  const isWeb =
    place !== 'nowhere' && /^https?:$/u.test(place.protocol) && place.username === '' && place.password === ''
  if (isWeb) return undefined
  return {
    message: `It is redirected to "${String(answer.headers['location'])}", where no page may go.`,
    remedy: 'Look at the endpoint: it must be the address of the store itself.',
  }
}

function followRedirect(page: Visit, answer: CorsAnswer): Visit | undefined {
  const to = placeOf(answer, page.url)
  if (to === undefined || to === 'nowhere') return undefined
  const {status} = answer
  const becomesGet =
    (status === 303 && !['GET', 'HEAD'].includes(page.method)) || (status <= 302 && page.method === 'POST')
  const {body, ...rest} = page
  return {
    ...rest,
    ...(body === undefined || becomesGet ? {} : {body}),
    ...(becomesGet ? {method: 'GET'} : {}),
    url: to.href,
    // A server that sends a page on to another one does not say whose page it is.
    ...(to.origin === new URL(page.url).origin ? {} : {origin: 'null'}),
  }
}
