import {generateKeyPairSync, randomBytes, sign} from 'node:crypto'
import {isIPv4} from 'node:net'

export interface Certificate {
  /** PEM, both. */
  readonly key: string
  readonly cert: string
}

/** A fresh self-signed certificate, its own root: what a client trusts by `ca: cert`. */
export function makeCertificate(names: readonly string[] = ['localhost', '127.0.0.1'], days = 2): Certificate {
  const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
  const ecdsaWithSha256 = sequence(Buffer.from('06082a8648ce3d040302', 'hex'))
  const name = sequence(wrap(0x31, sequence(Buffer.from('0603550403', 'hex'), wrap(0x0c, Buffer.from('Skylift test')))))
  const from = Math.min(Date.now(), Date.now() + days * 86_400_000) - 86_400_000
  const alternatives = names.map(text =>
    isIPv4(text) ? wrap(0x87, Buffer.from(text.split('.').map(Number))) : wrap(0x82, Buffer.from(text)),
  )
  const extensions = sequence(
    sequence(Buffer.from('0603551d11', 'hex'), wrap(0x04, sequence(...alternatives))),
    sequence(
      Buffer.from('0603551d13', 'hex'),
      Buffer.from('0101ff', 'hex'),
      wrap(0x04, Buffer.from('30030101ff', 'hex')),
    ),
  )
  const body = sequence(
    wrap(0xa0, Buffer.from('020102', 'hex')),
    wrap(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    sequence(writeTime(from), writeTime(Date.now() + days * 86_400_000)),
    name,
    publicKey.export({type: 'spki', format: 'der'}),
    wrap(0xa3, extensions),
  )
  const signature = wrap(0x03, Buffer.of(0), sign('sha256', body, privateKey))
  const base64 = sequence(body, ecdsaWithSha256, signature).toString('base64')
  return {
    key: privateKey.export({type: 'pkcs8', format: 'pem'}) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`,
  }
}

/** One DER value: tag, length, content. */
function wrap(tag: number, ...content: Buffer[]): Buffer {
  const all = Buffer.concat(content)
  const size = all.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.of(tag, ...length), all])
}

function sequence(...content: Buffer[]): Buffer {
  return wrap(0x30, ...content)
}

function writeTime(time: number): Buffer {
  const text = new Date(time).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return wrap(0x18, Buffer.from(text))
}
