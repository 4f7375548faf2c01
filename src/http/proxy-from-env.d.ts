declare module 'proxy-from-env' {
  /** Returns the proxy for a URL from the environment, or an empty string. */
  export function getProxyForUrl(url: string | URL): string
}
