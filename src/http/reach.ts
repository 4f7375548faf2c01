import {TLSSocket} from 'node:tls'
import type {IncomingMessage} from 'node:http'
import {networkFailure} from './network-failure.ts'
import type {Wire} from './send.ts'
import {DEFAULT_WAITS} from './waits.ts'

/** What answered at an origin. */
export interface Reached {
  readonly status: number
  /** The clock of the server, and ours at about the same moment. */
  readonly clock?: {readonly theirs: Date; readonly ours: Date}
  readonly elapsed: number
  /** Absent for plain http. */
  readonly tls?: {readonly protocol: string; readonly issuer: string; readonly ends: Date; readonly isVerified: boolean}
}

/** Sends one HEAD without any credentials, whatever the answer. Fails `network`, and `config` for a certificate. */
export async function reach(wire: Wire, origin: string, signal: AbortSignal): Promise<Reached> {
  const url = new URL(origin)
  const isTls = url.protocol === 'https:'
  wire.agents.addRoots()
  const agent = await wire.agents.agentFor(origin)
  const {default: library} = isTls ? await import('node:https') : await import('node:http')
  const started = performance.now()
  const {connect} = wire.waits ?? DEFAULT_WAITS
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = library.request({
        agent,
        method: 'HEAD',
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[(.*)\]$/u, '$1'),
        port: url.port || (isTls ? 443 : 80),
        path: '/',
        signal,
      })
      // Connecting and one small answer.
      outgoing.setTimeout(connect * 2, () => {
        outgoing.destroy(Object.assign(new Error('no answer'), {code: 'ETIMEDOUT'}))
      })
      outgoing.once('error', reject).once('response', resolve).end()
    })
    answer.resume()
    const theirs = Date.parse(answer.headers.date ?? '')
    return {
      status: answer.statusCode ?? 0,
      elapsed: performance.now() - started,
      ...(Number.isNaN(theirs) ? {} : {clock: {theirs: new Date(theirs), ours: new Date()}}),
      ...readTls(answer),
    }
  } catch (error) {
    signal.throwIfAborted()
    throw networkFailure(error, url.host)
  }
}

function readTls({socket}: IncomingMessage): Pick<Reached, 'tls'> {
  if (!(socket instanceof TLSSocket)) return {}
  const {issuer, valid_to: ends} = socket.getPeerCertificate()
  return {
    tls: {
      protocol: socket.getProtocol() ?? 'TLS',
      issuer: String(issuer?.O ?? issuer?.CN ?? 'an unknown issuer'),
      ends: new Date(ends),
      isVerified: socket.authorized,
    },
  }
}
