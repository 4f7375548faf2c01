import type {Failure} from '../../core/failure.ts'
import {CORS} from './diagnose.ts'

/** What a person reads who knows nothing of stores. */
export interface Explanation {
  readonly title: string
  readonly advice: string
  /** What the sender of the page should run. */
  readonly command?: string
  /** Trying again with the same file may help. */
  readonly canRetry: boolean
}

const ASK = 'Please ask whoever sent you this page for a new one.'

/** Explains why an upload ended. */
export function explain(failure: Failure, containers: readonly string[]): Explanation {
  const {code, message, context} = failure
  if (context.providerCode === CORS) {
    return {
      title: message,
      advice: 'Nothing is wrong with your file. Whoever sent you this page has to allow it first (CORS), by running:',
      command: containers
        .map(container => `skylift cors set ${container} --preset browser-upload --origin ${ownOrigin()}`)
        .join('\n'),
      canRetry: true,
    }
  }
  switch (code) {
    case 'expired': {
      return {title: message, advice: ASK, canRetry: false}
    }
    case 'too-large':
    case 'usage': {
      return {title: message, advice: 'Choose another file, or ask whoever sent you this page.', canRetry: false}
    }
    case 'not-found':
    case 'exists': {
      return {title: message, advice: `Every upload it was made for is done. ${ASK}`, canRetry: false}
    }
    case 'source-changed': {
      return {title: message, advice: 'Choose the same file as before to go on where it stopped.', canRetry: false}
    }
    case 'integrity': {
      return {title: message, advice: 'What is already there is kept. Try again.', canRetry: true}
    }
    case 'network':
    case 'busy': {
      return {title: message, advice: 'What is already there is kept. Try again in a moment.', canRetry: true}
    }
    case 'forbidden':
    case 'auth': {
      return {title: message, advice: `It may have expired or been withdrawn. ${ASK}`, canRetry: true}
    }
    default: {
      return {title: 'Something unexpected happened.', advice: message, canRetry: true}
    }
  }
}

function ownOrigin(): string {
  return location.protocol === 'file:' ? 'null' : location.origin
}
