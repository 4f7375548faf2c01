import {formatDuration} from '../../core/durations.ts'
import {printable} from '../../core/printable.ts'
import {formatSize} from '../../core/sizes.ts'
import type {UploadEvent} from '../../upload/events.ts'
import {advance, emptyProgress} from '../../upload/progress.ts'
import type {Progress} from '../../upload/progress.ts'
import {annotate, appendSummary, cell, disarm} from '../github.ts'
import type {Display, DisplayOptions, DisplayStream} from './display.ts'

type FailedEvent = UploadEvent & {event: 'failed'}

/** GitHub shows ten annotations of a step. */
const ANNOTATIONS = 10
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
    end() {
      display.end()
      if (isOver) return
      isOver = true
      if (isLog) {
        stream.write('::endgroup::\n')
        for (const event of failed.slice(0, ANNOTATIONS)) stream.write(`${annotate(titleOf(event), event.message)}\n`)
      }
      appendSummary(env, summarise(progress, failed, now() - started))
    },
  }
}

function titleOf({source}: FailedEvent): string {
  return source === undefined ? 'Upload failed' : `Upload of ${printable(source)} failed`
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
    ...failed.map(({source, message}) => `| ${cell(source ?? '')} | ${cell(message)} |`),
    ...(more > 0 ? ['', `And ${more.toLocaleString('en')} more.`] : []),
    '',
  ].join('\n')
}
