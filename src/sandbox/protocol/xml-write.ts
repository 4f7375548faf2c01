export type XmlContent = string | number | boolean | readonly (XmlField | undefined)[]
export type XmlField = readonly [name: string, content: XmlContent]

const ESCAPES: Record<string, string> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}

function escape(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex
    /[&<>"\u0000-\u001F\u007F]/gu,
    char => ESCAPES[char] ?? `&#x${char.charCodeAt(0).toString(16)};`,
  )
}

function writeField([name, content]: XmlField): string {
  const inner = typeof content === 'object' ? writeFields(content) : escape(String(content))
  return `<${name}>${inner}</${name}>`
}

function writeFields(fields: readonly (XmlField | undefined)[]): string {
  return fields.map(field => (field === undefined ? '' : writeField(field))).join('')
}

/** Writes a document with S3's namespace; an error has none. */
export function writeXml(root: string, fields: readonly (XmlField | undefined)[]): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${writeFields(fields)}</${root}>`
}

/** Returns the field, or nothing where there is no content. */
export function optional(name: string, content: XmlContent | undefined): XmlField | undefined {
  return content === undefined ? undefined : [name, content]
}
