import {Failure} from './failure.ts'

/** One element of an XML answer. */
export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: readonly XmlElement[]
}

const MAX_SIZE = 16 * 1024 * 1024
const MAX_DEPTH = 32
// What may follow a name is looked at first: else name and attributes share their letters, and a long broken tag takes
// time by the square of its length.
const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w.:-]*)(?=[\s/>])((?:[^<>"']|"[^"]*"|'[^']*')*?)(\/?)>|([^<]+)/uy

/** What may stand before the root, up to a DOCTYPE that names it. */
const DOCTYPE = /^\s*(?:<\?xml[^<>]*\?>\s*)?<!DOCTYPE\s+[A-Za-z_][\w.:-]*\s*>/u

const NAMED = new Map(Object.entries({lt: '<', gt: '>', amp: '&', quot: '"', apos: "'"}))

function decode(text: string): string {
  return text.replaceAll(
    /&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/giu,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return NAMED.get(name) ?? refuse(`the entity ${whole}`)
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return code <= 0x10_ff_ff ? String.fromCodePoint(code) : refuse('a character that does not exist')
    },
  )
}

function refuse(what: string): never {
  throw new Failure('network', `The answer is not XML that Skylift reads: it has ${what}.`, {retryable: false})
}

/**
 * Reads a store's XML answer. No entities but the five of XML and numeric ones, no DTD beyond a DOCTYPE that says
 * nothing but a name, at most 32 levels and 16 MiB; anything else fails `network`. Attributes are passed over, name
 * prefixes dropped.
 */
export function parseXml(source: string): XmlElement {
  if (source.length > MAX_SIZE) refuse('more than 16 MiB')
  interface Open {
    name: string
    text: string
    children: XmlElement[]
  }
  const root: Open = {name: '', text: '', children: []}
  const stack: Open[] = [root]
  const body = source.codePointAt(0) === 0xfe_ff ? source.slice(1) : source
  let at = DOCTYPE.exec(body)?.[0].length ?? 0
  while (at < body.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(body)
    if (match === null) refuse('a broken tag or a DTD')
    at = TOKEN.lastIndex
    const [, cdata, slash, name, , selfClosing, text] = match
    const open = stack.at(-1) ?? root
    if (cdata !== undefined) open.text += cdata
    else if (text !== undefined) open.text += decode(text)
    else if (name !== undefined) {
      const local = name.slice(name.indexOf(':') + 1)
      if (slash === '/') {
        if (stack.length < 2 || open.name !== local) refuse('tags that do not match')
        stack.pop()
      } else {
        const element: Open = {name: local, text: '', children: []}
        open.children.push(element)
        if (selfClosing !== '/') stack.push(element)
        // The stack begins with the document.
        if (stack.length > MAX_DEPTH + 1) refuse('too many levels')
      }
    }
  }
  const [first] = root.children
  if (stack.length !== 1 || first === undefined || root.children.length !== 1 || root.text.trim() !== '') {
    refuse(first === undefined ? 'no element' : 'an end that is missing')
  }
  return first
}

/** Returns the first child of that name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find(each => each.name === name)
}

/** Returns the text of the first child of that name, or undefined. */
export function childText(element: XmlElement | undefined, name: string): string | undefined {
  return child(element, name)?.text
}
