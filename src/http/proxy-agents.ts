import {once} from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import type {TLSSocketOptions} from 'node:tls'
import {HttpProxyAgent} from 'http-proxy-agent'
import {HttpsProxyAgent} from 'https-proxy-agent'

/** Speaks to a plain forward proxy, with the path as it was given. */
export class ForwardAgent extends HttpProxyAgent<string> {
  override setRequestProps(...[request, options]: Parameters<HttpProxyAgent<string>['setRequestProps']>): void {
    const {path} = request
    // It reads the path with `URL`: dot segments would be folded into another object, `//x` into another host.
    request.path = '/'
    super.setRequestProps(request, options)
    request.path = new URL(request.path).origin + path
  }

  // The original writes the headers anew; those that were flushed before go out twice then, and spoil the body.
  override async connect(): Promise<net.Socket> {
    const socket = this.proxy.protocol === 'https:' ? tls.connect(this.connectOpts) : net.connect(this.connectOpts)
    await once(socket, 'connect')
    return socket
  }
}

/** Tunnels through a proxy to a store that is trusted as without one. */
export class TunnelAgent extends HttpsProxyAgent<string> {
  readonly #trust: TLSSocketOptions

  constructor(
    proxy: string,
    options: ConstructorParameters<typeof HttpsProxyAgent<string>>[1],
    trust: TLSSocketOptions,
  ) {
    super(proxy, {...options, ...trust})
    this.#trust = trust
  }

  // The options of the agent count for the connection to the proxy alone.
  override connect(...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>) {
    return super.connect(request, {...options, ...this.#trust})
  }
}
