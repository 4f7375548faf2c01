import {formatDuration, LONGEST_TIMER} from '../core/durations.ts'
import {printable} from '../core/printable.ts'
import {createAgents, readCertificates} from '../http/agents.ts'
import type {Wire} from '../http/send.ts'
import {DEFAULT_WAITS} from '../http/waits.ts'
import type {ConnectionFlags} from './flags.ts'
import {harmless} from './github.ts'

/** Makes the connections of one run from flags. Fails `config`. */
export function createWire(flags: ConnectionFlags): Wire {
  const bundle = flags['ca-bundle'] ?? (process.env['AWS_CA_BUNDLE'] || undefined)
  if (flags['no-verify-ssl'] === true) warnUnverified()
  const {NODE_EXTRA_CA_CERTS: nodeCerts} = process.env
  const files = bundle === undefined ? [] : [bundle, ...(nodeCerts ? [nodeCerts] : [])]
  return {
    agents: createAgents({
      extraCa: files.map(readCertificates),
      verifyTls: flags['no-verify-ssl'] !== true,
      onUnverified: () => warnUnverified(' as clouds.yaml wishes'),
    }),
    waits: {
      ...DEFAULT_WAITS,
      connect: Math.min(flags['connect-timeout'] ?? DEFAULT_WAITS.connect, LONGEST_TIMER),
      stall: Math.min(flags['stall-timeout'] ?? DEFAULT_WAITS.stall, LONGEST_TIMER),
    },
    ...(flags.debug === true
      ? {
          onRequest({method, origin, path, status, elapsed, requestId, problem}) {
            const words = [method, new URL(origin).host + path, status ?? problem, formatMs(elapsed), requestId ?? '']
            process.stderr.write(`${harmless(printable(words.join(' ').trim()))}\n`)
          },
        }
      : {}),
  }
}

function warnUnverified(why = ''): void {
  process.stderr.write(
    `WARNING: certificates are not checked${why}; anybody on the way can read and change everything.\n`,
  )
}

function formatMs(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : formatDuration(ms)
}
