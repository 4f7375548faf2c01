import {lookup} from 'node:dns/promises'
import {isIP} from 'node:net'
import {formatDuration} from '../../core/durations.ts'
import {Failure} from '../../core/failure.ts'
import {findProxy} from '../../http/agents.ts'
import {reachOrigin} from '../../stores/open.ts'
import type {Reached} from '../../stores/open.ts'
import {ok, open} from './checks.ts'
import type {Check, Finding} from './checks.ts'
import type {Patient} from './patient.ts'

/** The way to the store: what is in between, and who answers. */
export function networkChecks(before: string, patient: () => Patient): readonly Check[] {
  let reached: Reached | undefined
  const origin = async (): Promise<URL> => {
    const {probe, target, call} = patient()
    return new URL(await probe.findOrigin(target, call))
  }
  return [
    {name: 'proxy', needs: [before], run: async () => describeProxy(await origin())},
    {name: 'dns', needs: ['proxy'], run: async () => checkName(await origin())},
    {
      name: 'connection',
      needs: ['dns'],
      async run() {
        const {wire, call} = patient()
        const url = await origin()
        reached = await reachOrigin(wire, url.origin, call)
        return describeReached(url, reached)
      },
    },
    {name: 'clock', needs: ['connection'], run: () => Promise.resolve(checkClock(reached?.clock))},
  ]
}

function describeProxy(url: URL): Finding {
  const proxy = findProxy(url)
  if (proxy === '') return ok(`none: ${url.host} is reached directly`)
  // Its password is nobody's business.
  if (URL.canParse(proxy)) return ok(`${url.host} is reached through ${new URL(proxy).host}`)
  throw new Failure('config', 'The proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is not an address.')
}

/** Behind a proxy it is the proxy that looks the store up. */
async function checkName(url: URL): Promise<Finding> {
  const proxy = findProxy(url)
  const {hostname} = proxy === '' ? url : new URL(proxy)
  const host = hostname.replaceAll(/^\[|\]$/gu, '')
  if (isIP(host) !== 0) return ok(`${host} is an address already`)
  try {
    const found = await lookup(host, {all: true})
    return ok(`${host} is ${found.map(({address}) => address).join(', ')}`)
  } catch (error) {
    const {code = ''} = error as NodeJS.ErrnoException
    throw new Failure('network', `${host} is not known to DNS (${code}).`, {
      cause: error,
      suggestion: 'Check the spelling of the endpoint and of the region in it; then the network of this machine.',
    })
  }
}

const SOON = 14 * 86_400_000
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/iu

function describeReached(url: URL, {tls, elapsed, status}: Reached): Finding {
  const answered = `answered with status ${status} in ${Math.round(elapsed)} ms`
  if (tls === undefined) {
    const words = `${url.host} ${answered}, over plain http`
    if (LOOPBACK.test(url.hostname)) return ok(words)
    return open(
      words,
      'Everything is sent unencrypted, the keys that sign-ins need too: take https:// where there is any.',
    )
  }
  const left = tls.ends.getTime() - Date.now()
  const until = Number.isNaN(left) ? '' : ` until ${tls.ends.toISOString().slice(0, 10)}`
  const words = `${url.host} ${answered}, over ${tls.protocol}, certificate by ${tls.issuer}${until}`
  if (!tls.isVerified) return open(words, 'Nobody checked the certificate: leave --no-verify-ssl away.')
  return ok(words, left < SOON ? `The certificate ends in ${formatDuration(Math.max(0, left))}.` : undefined)
}

/** S3 refuses what is signed a quarter of an hour off; Skylift mends that for requests, but not in links. */
const MOST_SKEW = 15 * 60_000
const SOME_SKEW = 60_000

function checkClock(clock: Reached['clock']): Finding {
  if (clock === undefined) return open('the server does not tell the time')
  const skew = clock.ours.getTime() - clock.theirs.getTime()
  const words = `${formatDuration(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} the server's`
  const remedy = 'Set the clock: timedatectl set-ntp true, or what your system has for it.'
  if (Math.abs(skew) >= MOST_SKEW) {
    throw new Failure('config', `The clock of this machine is ${words}: signatures and temp URLs fail.`, {
      suggestion: remedy,
    })
  }
  // The header counts whole seconds.
  return Math.abs(skew) < SOME_SKEW ? ok('agrees with the server') : ok(words, remedy)
}
