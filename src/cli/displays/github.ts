import type {Failure} from '../../core/failure.ts'
import {formatDuration} from '../../core/durations.ts'
import {printable} from '../../core/printable.ts'
import {formatSize} from '../../core/sizes.ts'
import type {UploadEvent} from '../../upload/events.ts'
import {advance, emptyProgress} from '../../upload/progress.ts'
import type {Progress} from '../../upload/progress.ts'
import {annotate, appendSummary, cell, disarm, MOST_ANNOTATIONS, takeUnannotated} from '../github.ts'
import type {Display, DisplayOptions, DisplayStream} from './display.ts'
import {nameOf} from './words.ts'

type FailedEvent = UploadEvent & {event: 'failed'}

const ROWS = 50

/** A stream whose words are no commands to GitHub Actions, whoever chose them. */
export function disarmed(stream: DisplayStream): DisplayStream {
  return Object.assign(Object.create(stream) as DisplayStream, {
    write: (text: string) => stream.write(disarm(text)),
  })
}

/** Tells an upload to GitHub Actions too: a group in the log, annotations of what failed, a table in the step's summary. */
export function withGithub(
  display: Display,
  stream: DisplayStream,
  {env, now = Date.now}: DisplayOptions,
  isLog: boolean,
): Display {
  const started = now()
  const failed: FailedEvent[] = []
  let progress = emptyProgress()
  let isOver = false
  if (isLog) stream.write('::group::skylift upload\n')
  return {
    above: line => display.above(disarm(line)),
    event(event) {
      progress = advance(progress, event)
      if (event.event === 'failed' && failed.length < ROWS) failed.push(event)
      display.event(event)
    },
    end(failures = []) {
      display.end()
      if (isOver) return
      isOver = true
      if (isLog) for (const line of ['::endgroup::', ...annotateRun(failed, failures)]) stream.write(`${line}\n`)
      appendSummary(env, summarise(progress, failed, now() - started))
    },
  }
}

/** An event names its file. What came as none, such as a link that cannot be made, failed beside the files. */
function annotateRun(events: readonly FailedEvent[], failures: readonly Failure[]): string[] {
  const told = new Set(events.map(({message}) => message))
  const beside = takeUnannotated(failures).filter(({message}) => !told.has(message))
  return [...events, ...beside].slice(0, MOST_ANNOTATIONS).map(each => annotate(titleOf(each), printable(each.message)))
}

function titleOf(failed: FailedEvent | Failure): string {
  const source = 'source' in failed ? failed.source : undefined
  return source === undefined ? 'Upload failed' : `Upload of ${nameOf({source})} failed`
}

function summarise(progress: Progress, failed: readonly FailedEvent[], elapsed: number): string {
  const counts = [
    ['Stored', progress.done.toLocaleString('en')],
    ['There already', progress.skipped.toLocaleString('en')],
    ['Failed', progress.failed.toLocaleString('en')],
    ['Sent', formatSize(progress.sent - progress.kept)],
    ['Time', formatDuration(elapsed)],
  ]
  const lines = [
    '### Skylift upload',
    '',
    `| ${counts.map(([name]) => name).join(' | ')} |`,
    `| ${counts.map(() => '---:').join(' | ')} |`,
    `| ${counts.map(([, value]) => value).join(' | ')} |`,
    '',
  ]
  if (failed.length === 0) return lines.join('\n')
  const more = progress.failed - failed.length
  return [
    ...lines,
    '| Failed | Reason |',
    '| --- | --- |',
    ...failed.map(({source, message}) => `| ${cell(nameOf({source: source ?? ''}))} | ${cell(message)} |`),
    ...(more > 0 ? ['', `And ${more.toLocaleString('en')} more.`] : []),
    '',
  ].join('\n')
}
