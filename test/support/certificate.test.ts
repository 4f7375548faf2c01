import {X509Certificate} from 'node:crypto'
import {expect} from 'chai'
import {makeCertificate} from './certificate.ts'

describe('certificate', () => {
  it('is signed by its own key, for its names, from yesterday on', () => {
    const cert = new X509Certificate(makeCertificate(['localhost', 'store.test', '127.0.0.1'], 2).cert)
    expect(cert.verify(cert.publicKey)).to.equal(true)
    expect([cert.checkHost('store.test'), cert.checkIP('127.0.0.1')]).to.deep.equal(['store.test', '127.0.0.1'])
    expect(cert.checkHost('other.test')).to.equal(undefined)
    expect(Date.parse(cert.validFrom)).to.be.below(Date.now() - 80_000_000)
    expect((Date.parse(cert.validTo) - Date.now()) / 86_400_000).to.be.closeTo(2, 0.01)
  })

  it('has expired where the days are negative', () => {
    const cert = new X509Certificate(makeCertificate(['localhost'], -1).cert)
    expect(Date.parse(cert.validFrom)).to.be.below(Date.parse(cert.validTo))
    expect(Date.parse(cert.validTo)).to.be.below(Date.now())
  })
})
