import {readFileSync} from 'node:fs'
import type http from 'node:http'
import type {SecureContext} from 'node:tls'
import {getProxyForUrl} from 'proxy-from-env'
import {Failure} from '../core/failure.ts'
import {readOrigin} from './origin.ts'
import type {QuickSender} from './quick-sender.ts'

/** Which servers are believed to be who they say. */
export interface Trust {
  /** PEM certificates that are trusted beside the built-in roots. */
  readonly extraCa?: readonly string[]
  /** False: certificates are not checked at all. */
  readonly verifyTls?: boolean
}

export interface AgentOptions extends Trust {
  /** PEM certificates in the place of the built-in roots. */
  readonly roots?: readonly string[]
  /** Called when certificates are no longer checked although these options said so. */
  readonly onUnverified?: () => void
}

/** The connections of one run: one keep-alive pair for direct ways, one for each proxy. */
export interface Agents {
  /** Fails `config` where the proxy's address cannot be read. */
  agentFor(origin: string): Promise<http.Agent>
  /** Sends small requests; undefined where a proxy stands between. Without a promise once it is there. Fails as `agentFor`. */
  quickFor(origin: string): QuickSender | undefined | Promise<QuickSender | undefined>
  /** Adds to what the options said, for connections that are made from now on. */
  trust(more: Trust): void
  /** False while only the certificates that were named are believed. */
  hasRoots(): boolean
  /** Believes the roots too, for connections that are made from now on. */
  addRoots(): void
  close(): void
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/iu

/** Returns the proxy by which an address is reached; empty where it is reached directly. It may hold a password. */
export function findProxy(url: URL): string {
  return LOOPBACK.test(url.hostname) ? '' : getProxyForUrl(url)
}

/**
 * Proxies come from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; loopback is always reached directly.
 *
 * Where certificates are named, the roots are left out until a server shows one that none of those vouches for: they take
 * 30 ms to read, as much as 100 small files.
 */
export function createAgents(options: AgentOptions = {}): Agents {
  let {extraCa = [], verifyTls = true} = options
  let hasRoots = false
  const all: Connections[] = []
  let current = open()

  function open(): Connections {
    const opened = openConnections(tlsOptions)
    all.push(opened)
    return opened
  }

  const isRooted = (): boolean => hasRoots || extraCa.length === 0

  async function tlsOptions(): Promise<TlsOptions> {
    return {
      secureContext: await makeContext(extraCa, isRooted() ? options.roots : []),
      ...(verifyTls ? {} : {rejectUnauthorized: false}),
    }
  }

  return {
    agentFor: origin => current.agentFor(origin),
    quickFor: origin => current.quickFor(origin),
    trust(more) {
      extraCa = [...extraCa, ...(more.extraCa ?? [])]
      if (more.verifyTls !== false || !verifyTls) return
      verifyTls = false
      options.onUnverified?.()
    },
    hasRoots: isRooted,
    addRoots() {
      if (hasRoots) return
      hasRoots = true
      if (extraCa.length > 0) current = open()
    },
    close() {
      for (const each of all) each.close()
    },
  }
}

interface TlsOptions {
  /** One for all: where none is given, Node makes one for each connection, in 0.2 ms. */
  readonly secureContext: SecureContext
  readonly rejectUnauthorized?: boolean
}

type Connections = Pick<Agents, 'agentFor' | 'quickFor' | 'close'>

function openConnections(tlsOptions: () => Promise<TlsOptions>): Connections {
  const keepAlive = {keepAlive: true, maxFreeSockets: 256, noDelay: true} as const
  const made = new Map<string, Promise<http.Agent>>()
  const found = new Map<string, Promise<http.Agent>>()
  const quick = new Map<string, QuickSender | undefined | Promise<QuickSender | undefined>>()

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
      : new ForwardAgent(proxy, {...keepAlive, ...(proxy.startsWith('https:') ? await tlsOptions() : {})})
  }

  async function findAgent(origin: string): Promise<http.Agent> {
    const url = new URL(origin)
    const isTls = url.protocol === 'https:'
    const proxy = findProxy(url)
    const name = `${isTls} ${proxy}`
    const agent = made.get(name) ?? createAgent(isTls, proxy)
    made.set(name, agent)
    return agent
  }

  async function openQuick(origin: string): Promise<QuickSender | undefined> {
    const agent = await agentFor(origin)
    if (findProxy(new URL(origin)) !== '') return undefined
    const {createQuickSender} = await import('./quick-sender.ts')
    return createQuickSender(agent, readOrigin(origin))
  }

  function findQuick(origin: string): QuickSender | undefined | Promise<QuickSender | undefined> {
    if (quick.has(origin)) return quick.get(origin)
    const opening = openQuick(origin).then(sender => {
      quick.set(origin, sender)
      return sender
    })
    quick.set(origin, opening)
    return opening
  }

  function agentFor(origin: string): Promise<http.Agent> {
    // Every request asks.
    const agent = found.get(origin) ?? findAgent(origin)
    found.set(origin, agent)
    return agent
  }

  return {
    agentFor,
    quickFor: findQuick,
    close() {
      for (const agent of made.values()) agent.then(each => each.destroy()).catch(() => {})
      for (const sender of quick.values())
        Promise.resolve(sender).then(
          each => each?.close(),
          () => {},
        )
    },
  }
}

async function makeContext(named: readonly string[], roots: readonly string[] | undefined): Promise<SecureContext> {
  const {createSecureContext, rootCertificates} = await import('node:tls')
  // To name the built-in ones would have them read anew.
  const isUsual = named.length === 0 && roots === undefined
  return createSecureContext(isUsual ? {} : {ca: [...(roots ?? rootCertificates), ...named]})
}

/** Loads what the first request to an origin would load. */
export async function loadSender(origin: string): Promise<void> {
  await Promise.all([
    origin.startsWith('http:') ? import('node:http') : import('node:https'),
    import('./quick-sender.ts'),
  ])
}

/** Reads a file of certificates in PEM. Fails `config`. */
export function readCertificates(file: string): string {
  try {
    const text = readFileSync(file, 'utf8')
    if (text.includes('-----BEGIN')) return text
  } catch (error) {
    throw new Failure('config', `The CA bundle "${file}" cannot be read.`, {cause: error})
  }
  throw new Failure('config', `The CA bundle "${file}" holds no PEM certificate.`)
}
