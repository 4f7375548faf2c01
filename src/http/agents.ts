import type http from 'node:http'
import type {SecureContext} from 'node:tls'
import {getProxyForUrl} from 'proxy-from-env'
import {Failure} from '../core/failure.ts'

export interface AgentOptions {
  /** PEM certificates that are trusted beside the built-in roots. */
  readonly extraCa?: readonly string[]
  /** False: certificates are not checked at all. */
  readonly verifyTls?: boolean
}

/** The connections of one run: one keep-alive pair for direct ways, one for each proxy. */
export interface Agents {
  /** Fails `config` where the proxy's address cannot be read. */
  agentFor(origin: string): Promise<http.Agent>
  close(): void
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/iu

/** Proxies come from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; loopback is always reached directly. */
export function createAgents(options: AgentOptions = {}): Agents {
  const keepAlive = {keepAlive: true, maxFreeSockets: 256, noDelay: true} as const
  const made = new Map<string, Promise<http.Agent>>()

  async function tlsOptions(): Promise<{secureContext?: SecureContext; rejectUnauthorized?: boolean}> {
    return {
      ...(options.extraCa?.length ? {secureContext: await trust(options.extraCa)} : {}),
      ...(options.verifyTls === false ? {rejectUnauthorized: false} : {}),
    }
  }

  async function createAgent(isTls: boolean, proxy: string): Promise<http.Agent> {
    if (proxy === '') {
      // Not at the top: a link is made without any connection, and these take time to load.
      const {Agent} = isTls ? await import('node:https') : await import('node:http')
      return new Agent({...keepAlive, ...(isTls ? await tlsOptions() : {})})
    }
    if (!URL.canParse(proxy) || !/^https?:/u.test(proxy)) {
      throw new Failure('config', 'The proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is not an http or https address.')
    }
    const {ForwardAgent, TunnelAgent} = await import('./proxy-agents.ts')
    return isTls
      ? new TunnelAgent(proxy, keepAlive, await tlsOptions())
      : new ForwardAgent(proxy, {...keepAlive, ...(await tlsOptions())})
  }

  return {
    async agentFor(origin) {
      const url = new URL(origin)
      const isTls = url.protocol === 'https:'
      const proxy = LOOPBACK.test(url.hostname) ? '' : getProxyForUrl(url)
      const name = `${isTls} ${proxy}`
      const agent = made.get(name) ?? createAgent(isTls, proxy)
      made.set(name, agent)
      return agent
    },
    close() {
      for (const agent of made.values()) agent.then(each => each.destroy()).catch(() => {})
    },
  }
}

async function trust(certificates: readonly string[]): Promise<SecureContext> {
  const {createSecureContext, rootCertificates} = await import('node:tls')
  return createSecureContext({ca: [...rootCertificates, ...certificates]})
}
