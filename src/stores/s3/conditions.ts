import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, ObjectInfo, ObjectOptions, Target} from '../store.ts'
import type {S3Exchange} from './client.ts'

/** How `noClobber` is kept on this store: by a condition that the store checks, by looking first, or by both. */
export interface Guard {
  readonly headers: Readonly<Record<string, string>>
  readonly notes: readonly string[]
  /** True where the store may not know the condition: the next guard is made with this failure, and does without. */
  isRefused(error: unknown): error is Failure
  /** The store took what was written. One that had refused the same with the condition is remembered not to know it. */
  succeed(): void
}

export type ConditionalVerb = 'conditionalPut' | 'conditionalComplete'

/** How one thing is written. */
export interface Write {
  readonly target: Target
  readonly options: ObjectOptions
  readonly verb: ConditionalVerb
}

export interface Conditions {
  /** `refusal`: what the same failed with a moment ago, with a condition that was perhaps not understood. */
  guardWrite(write: Write, call: Call, refusal?: Failure): Guard | Promise<Guard>
  /** Looks before the first of many bytes is sent. Fails `exists`, and `forbidden` as the guard would in the end. */
  lookAhead(write: Write, call: Call): void | Promise<void>
}

const OPEN: Guard = {headers: {}, notes: [], isRefused: (_): _ is Failure => false, succeed() {}}

export function createConditions(
  connection: S3Exchange,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): Conditions {
  const {quirks, findings} = connection.settings

  function honours(verb: ConditionalVerb): boolean | undefined {
    return findings.get(connection.endpointName)[verb] ?? quirks.conditionalPut
  }

  /** Fails `exists`, and `forbidden` where nothing else checks; returns what could not be made sure of. */
  async function lookFirst(
    target: Target,
    isChecked: boolean,
    call: Call,
    refusal?: Failure,
  ): Promise<readonly string[]> {
    const {container, key} = target
    try {
      await head(target, call)
    } catch (error) {
      if (isFailure(error, 'not-found')) {
        return ['No object stood there just before; this store is not known to check it while writing.']
      }
      if (isFailure(error, 'forbidden')) {
        // What was refused as wrong may be wrong: then the store's own words say more.
        if (!isChecked) throw isFailure(refusal, 'usage') ? refusal : unguarded(target, error)
        return ['Whether an object stood there could not be checked: these credentials may not read.']
      }
      throw error
    }
    throw new Failure('exists', `There is already "${container}/${key}".`, {context: {container, key}})
  }

  async function makeGuard({target, verb}: Write, call: Call, refusal?: Failure): Promise<Guard> {
    const isKnown = refusal === undefined ? honours(verb) : false
    const notes = isKnown === true ? [] : await lookFirst(target, isKnown !== false, call, refusal)
    const succeed = (): void => {
      // Only now: another thing may have been refused.
      if (refusal !== undefined) findings.learn(connection.endpointName, {[verb]: false})
    }
    if (isKnown === false) return {...OPEN, notes, succeed}
    return {headers: {'if-none-match': '*'}, notes, isRefused: mayBeUnknown, succeed}
  }

  return {
    guardWrite: (write, call, refusal) => (write.options.noClobber === true ? makeGuard(write, call, refusal) : OPEN),

    async lookAhead({target, options, verb}, call) {
      if (options.noClobber !== true) return
      const isKnown = honours(verb)
      await lookFirst(target, isKnown !== false, call).catch((error: unknown) => {
        // Whatever else keeps us from looking: this store checks it itself in the end.
        if (isKnown !== true || !isFailure(error) || error.code === 'exists' || error.retryable) throw error
      })
    },
  }
}

/** Some stores refuse a header that they do not know as a wrong request, in the words of any other one. */
function mayBeUnknown(error: unknown): error is Failure {
  if (isFailure(error, 'unsupported')) return true
  return isFailure(error, 'usage') && /^Invalid(?:Argument|Request)$/u.test(error.context.providerCode ?? '')
}

/** Writing all the same would be the very thing that was not to happen. */
function unguarded({container, key}: Target, cause: Failure): Failure {
  const name = `${container}/${key}`
  return new Failure(
    'forbidden',
    `Whether there is already "${name}" cannot be known: these credentials may not read, and the store does not check it while writing.`,
    {context: {container, key}, suggestion: 'Leave --no-clobber out, or allow s3:GetObject.', cause},
  )
}
