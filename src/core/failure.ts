/** Every way in which Skylift can fail; `cli/exit-codes` gives each its exit status and suggestion. */
export type FailureCode =
  | 'unexpected'
  | 'usage'
  | 'config'
  | 'unsupported'
  | 'too-large'
  | 'partial'
  | 'auth'
  | 'forbidden'
  | 'expired'
  | 'not-found'
  | 'exists'
  | 'integrity'
  | 'source-changed'
  | 'busy'
  | 'network'
  | 'interrupted'
  | 'terminated'

/** Where a failure happened; plain data, never a secret. */
export interface FailureContext {
  readonly container?: string
  readonly key?: string
  readonly part?: number
  readonly status?: number
  /** The provider's own code, such as `NoSuchUpload`. */
  readonly providerCode?: string
  readonly requestId?: string
  readonly method?: string
}

export interface FailureDetails {
  readonly context?: FailureContext
  readonly cause?: unknown
  /** Trying the same again may succeed. */
  readonly retryable?: boolean
  /** What the store asked to wait, from Retry-After. */
  readonly retryAfter?: number
  /** What to do, where it is more exact than the code's own suggestion. */
  readonly suggestion?: string
}

/** A failure that is told to the person: a code, one sentence that ends in a full stop, and where it happened. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  readonly context: FailureContext
  readonly retryable: boolean
  readonly retryAfter: number | undefined
  readonly suggestion: string | undefined

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : {cause: details.cause})
    this.code = code
    this.context = details.context ?? {}
    this.retryable = details.retryable ?? false
    this.retryAfter = details.retryAfter
    this.suggestion = details.suggestion
  }
}

export function isFailure<C extends FailureCode>(
  error: unknown,
  ...codes: readonly C[]
): error is Failure & {readonly code: C} {
  return error instanceof Failure && (codes.length === 0 || codes.some(code => code === error.code))
}

/** Returns the failure itself, or wraps anything else as `unexpected`. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  // Asked for wherever a name is made whole.
  if ((error as {syscall?: unknown} | null | undefined)?.syscall === 'uv_cwd') {
    return new Failure('not-found', 'The folder that this runs in was deleted.', {
      cause: error,
      suggestion: 'Go to one that is there.',
    })
  }
  const message = error instanceof Error ? error.message : String(error)
  return new Failure('unexpected', `Something unexpected happened: ${message || 'no message'}.`, {cause: error})
}
