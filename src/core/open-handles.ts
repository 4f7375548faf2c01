import {Failure} from './failure.ts'

/** True of what the system says where this process, or all of them, may open no more files and connections. */
export function isOutOfHandles(code: string | undefined): boolean {
  return code === 'EMFILE' || code === 'ENFILE'
}

/** `what` begins the sentence: `"x" cannot be read`. */
export function tooManyOpen(what: string, cause: unknown, retryable = false): Failure {
  return new Failure('config', `${what}: too many files and connections are open at once.`, {
    cause,
    retryable,
    suggestion: 'Raise the limit (ulimit -n), or take a smaller --concurrency.',
  })
}
