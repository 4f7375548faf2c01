const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/iu

/**
 * True for a Host header that names this machine. A web page that points a name of its own at 127.0.0.1 (DNS
 * rebinding) comes with that name. The port is free: a tunnel or a proxy has its own.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK.test(host)
}
