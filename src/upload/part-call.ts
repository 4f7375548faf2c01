import {setMaxListeners} from 'node:events'
import {onAbort} from '../core/signals.ts'
import type {Call, ConcurrencyNotice} from '../stores/store.ts'
import type {UploadSink} from './events.ts'

export interface CallSettings {
  readonly onEvent: UploadSink
  /** The bandwidth limit, the same for all objects of a run. */
  readonly pace?: NonNullable<Call['pace']>
}

/** Makes the call for one part of one object (0: for the whole), whose events tell how it goes. */
export function makeCall(id: number, part: number, signal: AbortSignal, {onEvent, pace}: CallSettings): Call {
  return {
    signal,
    onSent: sent => onEvent({event: 'progress', id, part, sent}),
    onRetry: ({attempt, wait, failure: {message, code}}) =>
      onEvent({event: 'retry', id, part, attempt, wait, code, message}),
    onConcurrency(notice) {
      const {now, most} = notice
      onEvent({event: 'concurrency', id, now, most})
      const message = describeConcurrency(notice)
      if (message !== undefined) onEvent({event: 'note', id, message})
    },
    ...(pace === undefined ? {} : {pace}),
  }
}

/** What was told before is no news, nor are the steps on the way up. */
function describeConcurrency({now, most, isFewest}: ConcurrencyNotice): string | undefined {
  if (isFewest) return `The store cannot keep up: ${now} at once from now on, of ${most}.`
  return now === most ? `The store keeps up again: ${most} at once.` : undefined
}

/** A signal that many requests listen to at once. */
export function joinSignals(...signals: readonly AbortSignal[]): AbortSignal {
  const joined = AbortSignal.any([...signals])
  // Otherwise Node prints a warning at the eleventh.
  setMaxListeners(0, joined)
  return joined
}

/** A controller of one's own that follows another signal until it is let go. */
export function followSignal(signal: AbortSignal): {readonly own: AbortController; letGo(): void} {
  const own = new AbortController()
  setMaxListeners(0, own.signal)
  if (signal.aborted) own.abort(signal.reason)
  return {own, letGo: onAbort(signal, () => own.abort(signal.reason))}
}
