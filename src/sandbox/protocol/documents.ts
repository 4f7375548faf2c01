import {parseXml} from '../../core/xml.ts'
import type {XmlElement} from '../../core/xml.ts'
import {S3Error} from './errors.ts'
import type {S3Request} from './handler.ts'
import {receiveText} from './receive.ts'

/** Reads XML with that root; fails `MalformedXML`. */
export function readXml(text: string, root: string): XmlElement {
  let element: XmlElement
  try {
    element = parseXml(text)
  } catch {
    throw new S3Error('MalformedXML')
  }
  if (element.name !== root) throw new S3Error('MalformedXML')
  return element
}

// Ten thousand parts with their checksums take about 3 MiB.
const MAX_DOCUMENT = 8 * 1024 * 1024

export async function receiveXml(request: S3Request, root: string): Promise<XmlElement> {
  return readXml(await receiveText(request, MAX_DOCUMENT), root)
}

/** Reads a whole number from the query; fails `InvalidArgument`. */
export function readNumber(request: S3Request, name: string, fallback: number, max: number): number {
  const text = request.query.get(name)
  if (text === undefined || text === '') return fallback
  if (!/^\d{1,10}$/u.test(text) || Number(text) > 2_147_483_647) {
    throw new S3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`, {
      ArgumentName: name,
      ArgumentValue: text,
    })
  }
  return Math.min(Number(text), max)
}

/** Returns how keys are written in a listing: percent-encoded where the client asks for it. Fails `InvalidArgument`. */
export function keyEncoder(request: S3Request, encode: (text: string) => string): (text: string) => string {
  const encoding = request.query.get('encoding-type')
  if (encoding !== undefined && encoding !== 'url')
    throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request')
  return encoding === 'url' ? encode : text => text
}
