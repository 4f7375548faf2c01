import type {FailureCode} from '../core/failure.ts'

interface ExitCode {
  readonly status: number
  /** What to do, unless the failure knows better. */
  readonly suggestion: string
}

/** A new code does not compile before it has an exit status and a suggestion. */
export const EXIT_CODES = {
  unexpected: {status: 1, suggestion: 'This is a bug in Skylift: please report it with the output of --debug.'},
  usage: {status: 2, suggestion: 'See --help.'},
  config: {status: 2, suggestion: 'Check the settings named here.'},
  unsupported: {status: 2, suggestion: 'This store cannot do it; leave the option out, or use another store.'},
  'too-large': {status: 2, suggestion: 'Check the limits of the store.'},
  partial: {status: 3, suggestion: 'Run the same command again for what is left.'},
  auth: {status: 4, suggestion: 'Check the credentials.'},
  forbidden: {status: 4, suggestion: 'Ask the owner for the permission that is missing.'},
  expired: {status: 4, suggestion: 'Get new credentials or a new URL, then run it again.'},
  'not-found': {status: 5, suggestion: 'Check the spelling of the target.'},
  exists: {status: 6, suggestion: 'Choose another name.'},
  integrity: {status: 7, suggestion: 'Run it again; if it stays, check the memory and the network of this machine.'},
  'source-changed': {status: 7, suggestion: 'Run it again when nobody writes to the file.'},
  busy: {status: 8, suggestion: 'Run the same command again later.'},
  network: {status: 8, suggestion: 'Run the same command again when the network is back.'},
  interrupted: {status: 130, suggestion: 'Run the same command again.'},
  terminated: {status: 143, suggestion: 'Run the same command again.'},
} as const satisfies Record<FailureCode, ExitCode>

/** One reason for all gives its own status; several give `partial`. */
export function statusOf(codes: readonly FailureCode[]): number {
  const [first, ...others] = new Set(codes)
  if (first === undefined) return 0
  return EXIT_CODES[others.length > 0 ? 'partial' : first].status
}
