import {formatDuration} from '../core/durations.ts'
import {formatSize} from '../core/sizes.ts'
import {containersOf, largestOf} from '../stores/ticket/ticket.ts'
import type {Ticket} from '../stores/ticket/ticket.ts'
import {describeEnd} from './expiry.ts'

/** What a page is good for, and what its owner should know before it is handed on. */
export function describePage(
  tickets: readonly Ticket[],
  origins: readonly string[] | undefined,
  isForAny: boolean,
): readonly string[] {
  const [first] = tickets
  if (first === undefined) return []
  const {target, kind} = first
  const count = tickets.length
  const container = `${target.remote}://${target.container}`
  return [
    `For ${isForAny ? 'any number of uploads' : count === 1 ? 'one upload' : `${count} uploads`} of up to ${formatSize(largestOf(first))} to ${container}, until ${describeEnd(new Date(first.expires), formatDuration, Date.now())}.`,
    ...(origins === undefined
      ? [
          'Browsers let it upload only where the container allows it; ORIGIN is null for a page that is opened from a file:',
          ...containersOf(first).map(
            each => `  skylift cors set ${target.remote}://${each} --preset browser-upload --origin ORIGIN`,
          ),
        ]
      : []),
    ...('assemble' in first ? [ASSEMBLED[first.assemble]] : []),
    kind === 's3'
      ? 'Whoever has the page can use it up; it opens nothing else. An upload that was begun is stored, and paid for, until it is completed or revoked.'
      : 'Whoever has the page can write these objects until it ends; it opens nothing else.',
  ]
}

const ASSEMBLED = {
  whole: 'Swift takes each file in one PUT: an upload that is cut starts over.',
  owner: 'Each object appears when you run "skylift ticket finish".',
  open: 'Each object is there from the start and grows with its parts.',
} as const
