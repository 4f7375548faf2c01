import {once} from 'node:events'
import net from 'node:net'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import {bufferBody} from '../../src/core/buffer-body.ts'
import {Failure} from '../../src/core/failure.ts'
import {isUnreached, networkFailure} from '../../src/http/network-failure.ts'
import {makeCertificate} from '../support/certificate.ts'
import {closeAll, failureOf, openWire, sendTo, startServer, startTcpServer} from './support.ts'
import {reset} from '../support/reset.ts'

afterEach(closeAll)

function withCode(code: string, message = 'words'): Error {
  return Object.assign(new Error(message), {code})
}

describe('networkFailure', () => {
  const rows: [string, string, boolean][] = [
    ['ECONNREFUSED', 'h:1 refused the connection.', true],
    ['ENOTFOUND', 'h:1 is not known to DNS.', true],
    ['EAI_AGAIN', 'h:1 cannot be looked up in DNS for now.', true],
    ['EHOSTUNREACH', 'h:1 cannot be reached.', true],
    ['ENETUNREACH', 'h:1 cannot be reached: there is no network.', true],
    ['ENETDOWN', 'h:1 cannot be reached: the network is down.', true],
    ['ECONNRESET', 'h:1 cut the connection.', false],
    ['EPIPE', 'h:1 cut the connection.', false],
    ['ECONNABORTED', 'h:1 cut the connection.', false],
    ['ERR_STREAM_PREMATURE_CLOSE', 'h:1 cut the connection.', false],
    ['ETIMEDOUT', 'h:1 did not answer in time.', false],
    ['HPE_INVALID_CONSTANT', 'h:1 does not answer in HTTP (HPE_INVALID_CONSTANT).', false],
    ['EWHATEVER', 'The connection to h:1 failed: words.', false],
    ['constructor', 'The connection to h:1 failed: words.', false],
  ]
  for (const [code, message, unreached] of rows) {
    it(`tells ${code}, which may be tried again`, () => {
      const error = withCode(code)
      const failure = networkFailure(error, 'h:1')
      expect(failure).to.include({code: 'network', retryable: true, message, cause: error})
      expect(isUnreached(failure)).to.equal(unreached)
    })
  }

  it('is none where Node refuses a header: nothing was sent, and trying again does not help', () => {
    for (const code of ['ERR_INVALID_CHAR', 'ERR_INVALID_HTTP_TOKEN']) {
      expect(networkFailure(withCode(code), 'h:1')).to.include({code: 'usage', retryable: false})
    }
  })

  const certificates = [
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'HOSTNAME_MISMATCH',
  ]
  for (const code of certificates) {
    it(`tells ${code}, which trying again does not mend`, () => {
      const failure = networkFailure(withCode(code), 'h:1')
      expect(failure).to.include({code: 'config', retryable: false})
      expect(failure.message).to.equal(`The certificate of h:1 cannot be trusted (${code}).`)
      expect(failure.suggestion).to.include('--ca-bundle')
    })
  }

  it('looks into what Happy Eyeballs throws, and leaves a Failure as it is', () => {
    const both = new AggregateError([withCode('ECONNREFUSED'), withCode('ENETUNREACH')])
    const failure = networkFailure(both, 'h:1')
    expect(failure.message).to.equal('h:1 refused the connection.')
    expect(isUnreached(failure)).to.equal(true)
    const known = new Failure('exists', 'Words.')
    expect(networkFailure(known, 'h:1')).to.equal(known)
    expect(isUnreached(known)).to.equal(false)
    expect(networkFailure('text', 'h:1').message).to.equal('The connection to h:1 failed: text.')
    expect(networkFailure(undefined, 'h:1').code).to.equal('network')
  })
})

describe('what goes wrong on the way', () => {
  it('is told: refused, unknown name, cut, not HTTP', async () => {
    const closed = net.createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const {port} = closed.address() as AddressInfo
    closed.close()
    const wire = openWire()
    const refused = await failureOf(sendTo(wire, `http://127.0.0.1:${port}`))
    expect(refused).to.include({code: 'network', retryable: true, message: `127.0.0.1:${port} refused the connection.`})
    expect(isUnreached(refused as Failure)).to.equal(true)

    const unknown = await failureOf(sendTo(wire, 'http://no-such-host.invalid'))
    expect(unknown).to.include({code: 'network', retryable: true})
    // A resolver that cannot be asked says the second.
    expect(unknown.message).to.match(
      /^no-such-host\.invalid (?:is not known to DNS|cannot be looked up in DNS for now)\.$/u,
    )
    expect(isUnreached(unknown as Failure)).to.equal(true)

    const cutting = await startTcpServer(socket => socket.once('data', () => reset(socket)))
    const cut = await failureOf(sendTo(wire, cutting.origin))
    expect(cut).to.include({code: 'network', retryable: true, message: `127.0.0.1:${cutting.port} cut the connection.`})
    expect(isUnreached(cut as Failure)).to.equal(false)

    const ssh = await startTcpServer(socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    const foreign = await failureOf(sendTo(wire, ssh.origin))
    expect(foreign).to.include({code: 'network', retryable: true})
    expect(foreign.message).to.match(/does not answer in HTTP \(HPE_\w+\)\.$/u)
  })

  it('is a matter of configuration where TLS meets a plain port', async () => {
    const server = await startServer((_, response) => response.end())
    const failure = await failureOf(sendTo(openWire(), server.origin.replace('http:', 'https:')))
    expect(failure).to.include({code: 'config', retryable: false})
    expect(failure).to.have.property('suggestion').that.includes('http://')
  })
})

describe('certificates', () => {
  const tls = makeCertificate()

  it('that nobody vouches for are refused, unless named or not checked', async () => {
    const server = await startServer((_, response) => response.end('ok'), {tls})
    const failure = await failureOf(sendTo(openWire(), server.origin))
    expect(failure).to.include({code: 'config', retryable: false})
    expect(failure.message).to.equal(
      `The certificate of 127.0.0.1:${server.port} cannot be trusted (DEPTH_ZERO_SELF_SIGNED_CERT).`,
    )
    expect((await sendTo(openWire({extraCa: [tls.cert]}), server.origin)).text).to.equal('ok')
    expect((await sendTo(openWire({verifyTls: false}), server.origin)).text).to.equal('ok')
    const other = await failureOf(sendTo(openWire({extraCa: [makeCertificate().cert]}), server.origin))
    expect(other).to.have.property('code', 'config')
  })

  it('are looked for among those that were named, then among the roots, by all who ask at once', async () => {
    const server = await startServer((_, response) => response.end('ok'), {tls})
    const other = makeCertificate().cert
    const named = openWire({extraCa: [tls.cert], roots: [other]})
    const rooted = openWire({extraCa: [other], roots: [tls.cert]})
    for (const wire of [named, rooted]) {
      const answers = await Promise.all(Array.from({length: 5}, () => sendTo(wire, server.origin)))
      expect(answers.map(({text}) => text)).to.deep.equal(Array.from({length: 5}, () => 'ok'))
      const body = bufferBody(Buffer.from('small'))
      expect((await sendTo(wire, server.origin, {body})).text).to.equal('ok')
    }
    expect(named.agents.hasRoots()).to.equal(false)
    expect(rooted.agents.hasRoots()).to.equal(true)
    const small = openWire({extraCa: [other], roots: [tls.cert]})
    const body = bufferBody(Buffer.from('small'))
    const puts = Array.from({length: 5}, () => sendTo(small, server.origin, {body}))
    expect((await Promise.all(puts)).map(({status}) => status)).to.deep.equal([200, 200, 200, 200, 200])
    const neither = await failureOf(sendTo(openWire({extraCa: [other], roots: [other]}), server.origin))
    expect(neither).to.include({code: 'config', retryable: false})
  })

  it('are for the names that stand in them, of hosts and addresses', async () => {
    const cases = [
      {names: ['localhost'], localhost: true, '127.0.0.1': false},
      {names: ['127.0.0.1'], localhost: false, '127.0.0.1': true},
      {names: ['elsewhere.example', 'localhost'], localhost: true, '127.0.0.1': false},
      {names: ['*.localhost', '127.0.0.1'], localhost: false, '127.0.0.1': true},
    ] as const
    for (const {names, ...hosts} of cases) {
      const certificate = makeCertificate(names)
      const server = await startServer((_, response) => response.end(), {tls: certificate})
      for (const [host, isNamed] of Object.entries(hosts)) {
        for (const options of [{}, {body: bufferBody(Buffer.from('small'))}]) {
          const sent = sendTo(openWire({extraCa: [certificate.cert]}), `https://${host}:${server.port}`, options)
          const code = await sent.then(
            () => 'believed',
            (failure: {code: string}) => failure.code,
          )
          expect(code, `${host} of ${names.join()}`).to.equal(isNamed ? 'believed' : 'config')
        }
      }
    }
  })

  it('for another name, and those that ended, are refused even when their authority is named', async () => {
    const foreign = makeCertificate(['elsewhere.example'])
    const ended = makeCertificate(undefined, -1)
    for (const [certificate, code] of [
      [foreign, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [ended, 'CERT_HAS_EXPIRED'],
    ] as const) {
      const server = await startServer((_, response) => response.end(), {tls: certificate})
      for (const options of [{}, {body: bufferBody(Buffer.from('small'))}]) {
        const failure = await failureOf(sendTo(openWire({extraCa: [certificate.cert]}), server.origin, options))
        expect(failure).to.have.property('code', 'config')
        expect(failure.message).to.include(`(${code})`)
      }
    }
  })
})
