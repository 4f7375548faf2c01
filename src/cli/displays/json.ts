import type {UploadEvent} from '../../upload/events.ts'
import {EVENT_VERSION} from '../../upload/events.ts'
import type {DisplayOptions, DisplayStream, Teller} from './display.ts'

type ProgressEvent = UploadEvent & {event: 'progress'}

interface Held {
  at: number
  /** The latest of each part that was not written. */
  readonly parts: Map<number, ProgressEvent>
}

const SHORTEST = 100

/**
 * Writes each event as one line of JSON, and nothing else. `progress` is thinned out to ten a second and object; the
 * last one of a part comes before whatever ends it.
 */
export function createJsonDisplay(stream: DisplayStream, options: Pick<DisplayOptions, 'now'>): Teller {
  const now = options.now ?? Date.now
  const held = new Map<number, Held>()

  function write(event: UploadEvent): void {
    const line = JSON.stringify({v: EVENT_VERSION, time: new Date(now()).toISOString(), ...event})
    // One write a line: a process that dies leaves whole lines behind.
    stream.write(`${escapeMarks(line)}\n`)
  }

  function flush(id: number, part?: number): void {
    const parts = held.get(id)?.parts ?? new Map<number, ProgressEvent>()
    for (const [number, event] of parts) {
      if (part !== undefined && number !== part) continue
      parts.delete(number)
      write(event)
    }
  }

  return {
    event(event) {
      if (event.event === 'progress') {
        const before = held.get(event.id) ?? {at: Number.NEGATIVE_INFINITY, parts: new Map<number, ProgressEvent>()}
        held.set(event.id, before)
        before.parts.set(event.part, event)
        if (Math.abs(now() - before.at) < SHORTEST) return
        before.at = now()
        flush(event.id, event.part)
        return
      }
      if (event.event === 'stored' || event.event === 'retry') flush(event.id, event.part)
      else if (event.event !== 'note' && event.event !== 'concurrency') flush(event.id)
      if (event.event === 'done' || event.event === 'failed') held.delete(event.id)
      write(event)
    },
    end() {
      for (const id of held.keys()) flush(id)
      held.clear()
    },
  }
}

/**
 * JSON may carry C1 controls and bidi marks as they are; a terminal must not get them. Nor GitHub Actions its `##[`, which
 * is a command anywhere in a line. All of them stand in strings only.
 */
export function escapeMarks(json: string): string {
  return json
    .replaceAll(
      /[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu,
      char => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    )
    .replaceAll('##[', String.raw`#\u0023[`)
}
