import {styleText} from 'node:util'
import ora from 'ora'
import {printable} from '../../core/printable.ts'
import type {UploadEvent} from '../../upload/events.ts'
import {advance, emptyProgress, movedOf} from '../../upload/progress.ts'
import type {Progress} from '../../upload/progress.ts'
import {emptyRate, measureRate} from '../../upload/rate.ts'
import type {Display, DisplayOptions, DisplayStream} from './display.ts'
import {drawFrame} from './frame.ts'
import {gatherLines} from './gather-lines.ts'
import type {View} from './frame.ts'
import * as words from './words.ts'

const SPINNER = {unicode: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'], plain: ['-', '\\', '|', '/']}
const INTERVAL = 80
/** The spinner and the two blanks that ora puts behind it. */
const MARGIN = 3

/**
 * Draws an upload live, at ora's pace and not with every event. While it runs, whatever is written to stdout or stderr
 * comes to stand above it: ora takes the drawing away, lets the text through and draws again.
 */
export function createTerminalDisplay(
  stream: DisplayStream,
  results: NodeJS.WritableStream,
  options: DisplayOptions,
): Display {
  const now = options.now ?? Date.now
  const unicode = hasUnicode(options.env)
  const paint: View['paint'] = (colour, text) => styleText(colour, text, {stream})
  const started = now()
  let isOver = false
  let progress = emptyProgress()
  let rate = emptyRate(now())

  function draw(): string {
    rate = measureRate(rate, now(), movedOf(progress))
    const {columns = 80, rows = 24} = stream
    const lines = drawFrame(progress, rate, {columns, rows, unicode, paint, expected: options.expected}, MARGIN)
    return lines.join(`\n${' '.repeat(MARGIN)}`)
  }

  const spinner = ora({
    stream,
    isEnabled: true,
    // Colours of ora's own follow stdout, and discarding stdin would take Ctrl-C and piped input from the command.
    color: false,
    discardStdin: false,
    spinner: {
      interval: INTERVAL,
      frames: (unicode ? SPINNER.unicode : SPINNER.plain).map(frame => paint('cyan', frame)),
    },
    suffixText: draw,
  })
  // A window may lose all its columns, by which ora divides.
  const guard = (): void => {
    spinner.isEnabled = (stream.columns ?? 0) > 0
  }
  stream.on('resize', guard)
  spinner.start()

  // ora draws anew after every write.
  const lines = gatherLines(results)
  const timer = setInterval(lines.flush, INTERVAL)
  timer.unref()

  return {
    above: lines.add,
    event(event) {
      const line = describeLasting(event, progress)
      progress = advance(progress, event)
      if (line !== undefined) stream.write(`${line}\n`)
    },
    end() {
      stream.removeListener('resize', guard)
      clearInterval(timer)
      spinner.stop()
      lines.flush()
      const line = words.describeEnd(progress, options.expected, now() - started)
      if (line !== undefined && !isOver) stream.write(`${line}\n`)
      isOver = true
    },
  }
}

/** What must stay on the screen when the drawing is gone. */
function describeLasting(event: UploadEvent, before: Progress): string | undefined {
  if (!words.isWorthALine(event, before)) return undefined
  const object = before.active.get(event.id)
  return object === undefined ? printable(event.message) : `${words.nameOf(object)}: ${printable(event.message)}`
}

function hasUnicode(env: DisplayOptions['env']): boolean {
  if (process.platform === 'win32') return env['WT_SESSION'] !== undefined || env['TERM_PROGRAM'] === 'vscode'
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return /utf-?8/iu.test(locale) && env['TERM'] !== 'linux'
}
