import {Failure} from '../core/failure.ts'
import {formatTarget} from '../core/target.ts'
import type {UploadStore} from '../stores/store.ts'
import {createAttempt} from './attempt.ts'
import type {AttemptEnd} from './attempt.ts'
import type {NearItem} from './read-ahead.ts'
import type {UploadItem, UploadSettings} from './transfer.ts'

/** One object's way up, with as many attempts as it may take. */
export interface ObjectTransfer {
  /** True for a small object in one piece; known once it has begun. */
  isSmall(): boolean
  /** Begins the first attempt; a failure is kept for `finish`, and those of its pieces are. */
  begin(): Promise<void>
  pieces(): Iterable<() => Promise<void>>
  /** Settles the attempt, starts over where that helps, and tells the end. Never throws. */
  finish(): Promise<TransferEnd>
  /** Ends the transfer for a reason from outside. */
  stop(reason: unknown): Promise<TransferEnd>
}

export interface TransferEnd {
  readonly failure?: Failure
  readonly keptParts: number
}

const MOST_ATTEMPTS = 3

export function createObjectTransfer(
  id: number,
  {item, take}: NearItem<UploadItem>,
  store: UploadStore,
  settings: UploadSettings,
): ObjectTransfer {
  const started = performance.now()
  const {onEvent} = settings
  let attempt = createAttempt(id, item, store, settings, take)
  let ended: Promise<TransferEnd> | undefined

  /** Why another attempt from the start may succeed, as one sentence. */
  function reasonToStartOver({failure, isForgotten}: AttemptEnd): string | undefined {
    if (settings.signal.aborted) return undefined
    if (isForgotten) return 'The store has forgotten the unfinished upload. Starting over.'
    if (failure?.code === 'source-changed' && settings.onChange === 'retry') return `${failure.message} Starting over.`
    return undefined
  }

  async function settle(): Promise<TransferEnd> {
    let end = await attempt.settle()
    for (let count = 1; count < MOST_ATTEMPTS; count++) {
      const reason = reasonToStartOver(end)
      if (reason === undefined) break
      onEvent({event: 'note', id, message: reason})
      attempt = createAttempt(id, item, store, settings)
      await attempt.begin()
      await runAll(attempt.pieces(), settings.concurrency)
      end = await attempt.settle()
    }
    const {stored, plan, receipts, keptParts, file} = end
    if (stored !== undefined) {
      const elapsed = performance.now() - started
      onEvent({event: 'done', id, object: stored, elapsed})
      if (plan !== undefined && file !== undefined) {
        const told = settings.onStored?.({item, stored, plan, receipts, file, elapsed})
        if (told instanceof Promise) await told
      }
      return {keptParts: 0}
    }
    const failure = describeKept(end)
    const {code, message} = failure
    onEvent({event: 'failed', id, source: item.path, target: formatTarget(item.target), code, message})
    return {failure, keptParts}
  }

  return {
    isSmall: () => attempt.isSmall(),
    begin: () => attempt.begin(),
    pieces: () => attempt.pieces(),
    finish: () => (ended ??= settle()),
    async stop(reason) {
      attempt.cancel(reason)
      return (ended ??= settle())
    },
  }
}

/** Runs pieces beside the shared workers: only an object that starts over needs it. */
async function runAll(pieces: Iterable<() => Promise<void>>, concurrency: number): Promise<void> {
  const worker = async (): Promise<void> => {
    for (const run of pieces) await run()
  }
  await Promise.all(Array.from({length: concurrency}, worker))
}

export const GO_ON = 'Run the same command again: it goes on from there.'

/** The same command fails again as long as nobody changes anything. */
function goOn({code, suggestion}: Failure): string {
  if (!['auth', 'forbidden', 'expired', 'config'].includes(code)) return GO_ON
  const isRight = code === 'forbidden' && suggestion === undefined
  const once = isRight ? 'Once the permission that is missing is given' : 'Once that is mended'
  return `${once}, run the same command again: it goes on from there.`
}

function describeKept({failure, keptParts, plan}: AttemptEnd): Failure {
  if (failure === undefined) return new Failure('unexpected', 'The upload ended without an object.')
  if (keptParts === 0) return failure
  const {code, message, context, retryable, cause} = failure
  const what = `${keptParts.toLocaleString('en')} of ${plan?.count.toLocaleString('en')} parts are kept.`
  // What stops us is named first; how to mend it stays with the message's own suggestion.
  const suggestion = [failure.suggestion, goOn(failure)].filter(each => each !== undefined).join(' ')
  return new Failure(code, `${message} ${what}`, {context, retryable, cause, suggestion})
}
