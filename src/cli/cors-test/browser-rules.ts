/** What a page asks for: where it comes from, and one request. Credentials (cookies) are never sent. */
export interface PageRequest {
  readonly origin: string
  readonly method: string
  /** Lower-case names of the headers that the page sets and that browsers do not take for granted, sorted. */
  readonly unsafeHeaders: readonly string[]
}

/** The answer of a server, as far as a browser looks at it for CORS. */
export interface CorsAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Why a browser refuses, and what to do; undefined where it does not. */
export type Refusal = {readonly message: string; readonly remedy: string} | undefined

// https://fetch.spec.whatwg.org/#cors-safelisted-method
const SAFE_METHODS = new Set(['GET', 'HEAD', 'POST'])
const SAFE_TYPES = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])
const SAFE_HEADERS = new Set(['accept', 'accept-language', 'content-language', 'range'])
// https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
const READABLE = new Set([
  ...['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'],
])
// https://fetch.spec.whatwg.org/#forbidden-request-header
const FORBIDDEN =
  /^(?:accept-(?:charset|encoding)|access-control-request-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$/u

/** True for a header that no page can set, whatever CORS says. */
export function isForbiddenHeader(name: string): boolean {
  return FORBIDDEN.test(name.toLowerCase())
}

/** Returns what a preflight has to ask for; a type is given as `content-type: text/plain`. */
export function findUnsafeHeaders(headers: readonly string[]): string[] {
  const unsafe = headers.flatMap(header => {
    const at = header.indexOf(':')
    const name = (at < 0 ? header : header.slice(0, at)).trim().toLowerCase()
    const type = at < 0 ? '' : (header.slice(at + 1).split(';')[0] ?? '').trim().toLowerCase()
    if (SAFE_HEADERS.has(name) || (name === 'content-type' && SAFE_TYPES.has(type))) return []
    return [name]
  })
  return [...new Set(unsafe)].toSorted()
}

export function needsPreflight({method, unsafeHeaders}: PageRequest): boolean {
  return !SAFE_METHODS.has(method) || unsafeHeaders.length > 0
}

// https://fetch.spec.whatwg.org/#concept-cors-check
/** Compares Access-Control-Allow-Origin with the page's origin, letter by letter. */
export function checkOrigin(origin: string, {headers}: CorsAnswer, what: string): Refusal {
  const allowed = textOf(headers['access-control-allow-origin'])
  if (allowed === '*' || allowed === origin) return undefined
  if (allowed === undefined) {
    return {
      message: `${what} has no Access-Control-Allow-Origin.`,
      remedy: `No CORS rule fits: skylift cors set TARGET --preset browser-upload --origin ${origin}`,
    }
  }
  if (allowed.includes(',') || /\s/u.test(allowed)) {
    return {
      message: `${what} names several origins at once ("${allowed}"), and one is allowed.`,
      remedy:
        'Something in between (a proxy, a CDN) adds a second header, or the server lists all of them: it must send the one that asks.',
    }
  }
  return {
    message: `${what} allows "${allowed}", which is not "${origin}" to the letter.`,
    remedy: explainOther(allowed, origin),
  }
}

function explainOther(allowed: string, origin: string): string {
  if (allowed === `${origin}/`) return 'An origin ends after the host: without the slash.'
  if (allowed.toLowerCase() === origin.toLowerCase()) return 'An origin is written in small letters.'
  if (allowed === 'null') return '"null" is for pages that were opened from a file, and for nothing else.'
  if (allowed.includes('*'))
    return 'A browser knows no patterns: the server must answer with the origin itself, or with * alone.'
  return 'A cache in between may keep the answer to another page (Vary: Origin is missing), or the rule is for that other page.'
}

// https://fetch.spec.whatwg.org/#cors-preflight-fetch
/** Judges the answer to a preflight. */
export function checkPreflight(request: PageRequest, answer: CorsAnswer): Refusal {
  const {status, headers} = answer
  if (status >= 300 && status < 400) {
    return {
      message: `The preflight is redirected (status ${status}), and browsers do not follow.`,
      remedy:
        'Use the address that it points to: the endpoint of the region in which the container is, https instead of http.',
    }
  }
  const refusal = checkOrigin(request.origin, answer, 'The answer to the preflight')
  if (refusal !== undefined)
    return status >= 200 && status < 300 ? refusal : {...refusal, message: withStatus(refusal.message, status)}
  if (status < 200 || status >= 300) {
    return {
      message: `The preflight is answered with status ${status}, and only 200 to 299 will do.`,
      remedy: 'The server does not know OPTIONS, or wants a sign-in for it: browsers send none.',
    }
  }
  return (
    checkMethod(request, textOf(headers['access-control-allow-methods'])) ??
    checkHeaders(request, textOf(headers['access-control-allow-headers']))
  )
}

function withStatus(message: string, status: number): string {
  return message.replace(/\.$/u, `, and its status is ${status}.`)
}

function checkMethod({method}: PageRequest, text: string | undefined): Refusal {
  const methods = readList(text)
  if (methods === undefined) return unreadable('Access-Control-Allow-Methods')
  if (SAFE_METHODS.has(method) || methods.includes(method) || methods.includes('*')) return undefined
  return {
    message: `Access-Control-Allow-Methods does not name ${method}${methods.length === 0 ? '' : `: it has ${methods.join(', ')}`}.`,
    remedy: `Allow the method: skylift cors set TARGET --origin ORIGIN --method ${method}, in capital letters.`,
  }
}

function checkHeaders({unsafeHeaders}: PageRequest, text: string | undefined): Refusal {
  const names = readList(text)?.map(name => name.toLowerCase())
  if (names === undefined) return unreadable('Access-Control-Allow-Headers')
  const missing = unsafeHeaders.filter(name => !names.includes(name) && !names.includes('*'))
  if (missing.length === 0) return undefined
  return {
    message: `Access-Control-Allow-Headers does not name ${missing.join(', ')}.`,
    remedy: `Allow it: skylift cors set TARGET --origin ORIGIN ${missing.map(name => `--header ${name}`).join(' ')}`,
  }
}

/** True where authorization is let pass by "*" alone: Chromium does so, the standard does not. */
export function isByWildcard({unsafeHeaders}: PageRequest, {headers}: CorsAnswer): boolean {
  const names = readList(textOf(headers['access-control-allow-headers']))?.map(name => name.toLowerCase()) ?? []
  return unsafeHeaders.includes('authorization') && !names.includes('authorization')
}

/** Which of the headers of an answer the page cannot read. */
export function checkExposed(wanted: readonly string[], {headers}: CorsAnswer): Refusal {
  const exposed = readList(textOf(headers['access-control-expose-headers']))?.map(name => name.toLowerCase()) ?? []
  const hidden = wanted.filter(name => {
    const lower = name.toLowerCase()
    return !READABLE.has(lower) && !exposed.includes(lower) && !exposed.includes('*')
  })
  if (hidden.length === 0) return undefined
  return {
    message: `Access-Control-Expose-Headers does not name ${hidden.join(', ')}: the page cannot read it.`,
    remedy: `Expose it: skylift cors set TARGET --origin ORIGIN ${hidden.map(name => `--expose ${name}`).join(' ')}. The parts of an upload need ETag.`,
  }
}

/** A page of https may not speak plain http, but to this very machine. */
export function checkMixed(origin: string, url: URL): Refusal {
  const isPlain =
    url.protocol === 'http:' && !/^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/iu.test(url.hostname)
  if (!origin.startsWith('https:') || !isPlain) return undefined
  return {
    message: `A page of https may not ask ${url.origin}, which is plain http: browsers block it.`,
    remedy: 'Serve the store by https, and take that address as --endpoint-url.',
  }
}

function unreadable(name: string): Refusal {
  return {
    message: `${name} is not a list of words.`,
    remedy: 'Words are separated by commas, without quotes or spaces in them.',
  }
}

/** Undefined for what is no list of tokens: browsers refuse it as a whole. */
function readList(text: string | undefined): string[] | undefined {
  const words = (text ?? '')
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')
  return words.every(word => /^[\w!#$%&'*+.^`|~-]+$/u.test(word)) ? words : undefined
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
