import {tmpdir} from 'node:os'
import {asFailure} from '../core/failure.ts'
import type {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {formatSize} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import type {Json, Limits, LinkStore, ObjectOptions, Target, UploadStore} from '../stores/store.ts'
import type {UploadEvent} from '../upload/events.ts'
import type {Pace} from '../upload/pace.ts'
import {scheduleParts, stepsOf} from '../upload/part-schedule.ts'
import type {ScheduleStep, ScheduleWish} from '../upload/part-schedule.ts'
import type {StreamSource} from '../upload/stream-source.ts'
import {uploadStream} from '../upload/stream-transfer.ts'
import {createDisplay} from './displays/display.ts'
import type {Display, DisplayKind} from './displays/display.ts'
import {watchInterrupts} from './interrupts.ts'
import {startProducer} from './producer.ts'
import type {ResultsFile} from './results-file.ts'
import {urlsOf} from './run-upload.ts'
import type {UploadResults} from './run-upload.ts'
import {openStdin} from './stdin-source.ts'
import type {Linker, UploadLink} from './upload-links.ts'
import {describeStored, storedToJson} from './upload-words.ts'

export interface RunStreamOptions extends ScheduleWish {
  readonly flags: {readonly progress: string; readonly quiet: boolean}
  readonly concurrency: number
  readonly memory: number
  readonly pace?: Pace
  /** Absent: stdin. */
  readonly command?: readonly string[]
  readonly results?: ResultsFile
  readonly link?: Linker
  /** Absent where there are no credentials to sign with. */
  readonly links: LinkStore | undefined
  /** Result lines on stdout; absent for one JSON document at the end. */
  readonly tell: 'results' | undefined
}

/** Uploads stdin, or what a program writes, with a display, the result on stdout and Ctrl-C. */
export async function runStream(
  target: Target,
  options: ObjectOptions,
  store: UploadStore,
  {flags, command, results, link, links, tell, ...settings}: RunStreamOptions,
): Promise<Pick<UploadResults, 'failures' | 'objects' | 'links'>> {
  const stdin = command === undefined ? openStdin() : undefined
  const [name = '-'] = command ?? []
  const kind = (flags.quiet ? 'none' : flags.progress) as DisplayKind
  const {stderr, stdout} = process
  const {expectSize} = settings
  const display = await createDisplay(
    kind,
    {stderr, stdout},
    {env: process.env, ...(expectSize === undefined ? {} : {expected: {files: 1, size: expectSize}})},
  )
  const interrupts = watchInterrupts()
  const {signal} = interrupts
  const objects: Json[] = []
  const made: UploadLink[] = []
  const failures: Failure[] = []
  let elapsed = 0

  function onEvent(event: UploadEvent): void {
    display.event(event)
    if (event.event !== 'done') return
    const {object} = event
    ;({elapsed} = event)
    if (tell === undefined) objects.push(storedToJson(object, elapsed))
    else display.above(describeStored(object, elapsed))
    for (const note of object.notes ?? []) display.event({event: 'note', id: event.id, message: printable(note)})
  }

  try {
    const source: StreamSource = stdin ?? startProducer(command ?? [], createListener(kind, display))
    const item = {source, target, options}
    const stored = await uploadStream(item, store, {...settings, signal, onEvent, folder: tmpdir()})
    const linked = await link?.(target, {signal})
    if (linked !== undefined) made.push(linked)
    results?.stored({item: {path: name}, stored, elapsed}, await urlsOf(target, links, linked, signal))
  } catch (error) {
    const failure = asFailure(error)
    const {code, message} = failure
    failures.push(failure)
    results?.event({event: 'failed', id: 1, source: name, target: formatTarget(target), code, message})
  } finally {
    interrupts.stop()
    display.end(failures)
  }
  try {
    await results?.close()
  } catch (error) {
    failures.push(asFailure(error))
  }
  return {failures, objects, links: made}
}

/** What the program says passes through; where a program reads stderr, it comes as notes. */
function createListener(kind: DisplayKind, display: Display): (words: Buffer) => void {
  if (kind !== 'json') return words => void process.stderr.write(words)
  let rest = ''
  return words => {
    const lines = (rest + words.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) display.event({event: 'note', id: 1, message: printable(line)})
  }
}

export interface SchedulePlan {
  readonly source: string
  readonly target: string
  /** Absent: not known. */
  readonly size?: number
  readonly partSize: number
  /** The most there may be; 0: it goes whole. */
  readonly count: number
  /** The most bytes that can come. */
  readonly reach: number
  readonly steps: readonly ScheduleStep[]
}

/** Plans a stream: where parts begin to have which size. */
export function planStream(
  target: Target,
  limits: Limits,
  wish: ScheduleWish,
  command?: readonly string[],
): SchedulePlan {
  const schedule = scheduleParts(limits, wish)
  const {partSize, count, reach, expectSize} = schedule
  return {
    source: command?.[0] ?? '-',
    target: formatTarget(target),
    ...(expectSize === undefined ? {} : {size: expectSize}),
    partSize,
    count,
    reach,
    steps: [...stepsOf(schedule)],
  }
}

export function describeSchedule({source, target, size, partSize, count, reach, steps}: SchedulePlan): string[] {
  const what = `${source === '-' ? 'stdin' : printable(source)} -> ${printable(target)}`
  if (size !== undefined) {
    const how = count === 0 ? 'whole' : `${count.toLocaleString('en')} parts of ${formatSize(partSize)}`
    return [`${what}  ${formatSize(size)}, ${how}`]
  }
  if (count === 0) return [`${what}  size not known, whole, up to ${formatSize(reach)}`]
  const head = `${what}  size not known, up to ${formatSize(reach)} in at most ${count.toLocaleString('en')} parts`
  const lines = steps.map(({part, offset, partSize}) => {
    const from = part === 1 ? 'at first' : `from part ${part.toLocaleString('en')}, at ${formatSize(offset)}`
    return `  ${from}: parts of ${formatSize(partSize)}`
  })
  return [head, ...lines]
}
