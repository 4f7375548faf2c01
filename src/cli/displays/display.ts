import type {Failure} from '../../core/failure.ts'
import type {UploadSink} from '../../upload/events.ts'
import type {Expected} from './words.ts'
import {isGithub} from '../github.ts'
import {gatherLines} from './gather-lines.ts'
import {disarmed, withGithub} from './github.ts'
import {createJsonDisplay} from './json.ts'
import {createLinesDisplay} from './lines.ts'

export type DisplayKind = 'terminal' | 'lines' | 'json' | 'none'

/** Tells the person, or a program, on stderr how an upload goes. */
export interface Teller {
  readonly event: UploadSink
  /** Takes a live display off the terminal and stops its timers; may be called twice. What failed may be told with it. */
  end(failures?: readonly Failure[]): void
}

export interface Display extends Teller {
  /** Writes one line of result to stdout, where it does not mix with what is drawn. */
  above(line: string): void
}

/** `process.stderr`, or what a test has in its place. */
export type DisplayStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

export interface DisplayOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970; the clock of this machine unless given. */
  readonly now?: () => number
  readonly expected?: Expected
}

/** A terminal of width 0 (`script`, some CI) has no room for a live display, and ora would flood it. */
function canDraw(stream: DisplayStream): boolean {
  return stream.isTTY === true && (stream.columns ?? 0) > 0
}

/** `auto` is a live display on a terminal that a person watches, and lines everywhere else. */
export function chooseDisplay(
  wish: DisplayKind | 'auto',
  stderr: DisplayStream,
  env: DisplayOptions['env'],
): DisplayKind {
  if (wish === 'auto') {
    const watched = env['TERM'] !== 'dumb' && ['', '0', 'false'].includes(env['CI'] ?? '')
    return watched && canDraw(stderr) ? 'terminal' : 'lines'
  }
  return wish === 'terminal' && !canDraw(stderr) ? 'lines' : wish
}

export interface DisplayStreams {
  readonly stderr: DisplayStream
  readonly stdout?: NodeJS.WritableStream
}

/** What cannot be drawn live becomes lines. */
export async function createDisplay(
  kind: DisplayKind,
  streams: DisplayStreams,
  options: DisplayOptions,
): Promise<Display> {
  const {stderr, stdout = process.stdout} = streams
  const chosen = chooseDisplay(kind, stderr, options.env)
  if (!isGithub(options.env)) return openDisplay(chosen, {stderr, stdout}, options)
  const isLog = chosen === 'lines'
  const inner = await openDisplay(chosen, {stderr: isLog ? disarmed(stderr) : stderr, stdout}, options)
  return withGithub(inner, stderr, options, isLog)
}

async function openDisplay(
  chosen: DisplayKind,
  {stderr, stdout}: Required<DisplayStreams>,
  options: DisplayOptions,
): Promise<Display> {
  if (chosen === 'terminal') {
    const {createTerminalDisplay} = await import('./terminal.ts')
    return createTerminalDisplay(stderr, stdout, options)
  }
  if (chosen === 'lines') return withResults(createLinesDisplay(stderr, options), stdout)
  if (chosen === 'json') return withResults(createJsonDisplay(stderr, options), stdout)
  return withResults({event() {}, end() {}}, stdout)
}

/** So long, in ms, results gather: a person sees no difference, and a write costs as much as a dozen lines. */
const GATHER = 10

function withResults(teller: Teller, stdout: NodeJS.WritableStream): Display {
  const results = gatherLines(stdout)
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    results.flush()
  }

  return {
    event: teller.event,
    above(line) {
      results.add(line)
      timer ??= setTimeout(flush, GATHER)
    },
    end() {
      teller.end()
      flush()
    },
  }
}
