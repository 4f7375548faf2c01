import {lstat, open, stat} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {formatTarget} from '../core/target.ts'
import type {Target} from '../core/target.ts'
import {orderOf} from '../upload/listing.ts'
import {sortNames} from '../upload/sort-names.ts'
import {walkFolder} from '../upload/walk.ts'
import type {Found, WalkOptions} from '../upload/walk.ts'
import {absolutePath} from './absolute-path.ts'
import {NAMES_NOTHING} from './sources.ts'

/** One line of `--results`. */
interface FailedLine {
  readonly source: string
  /** Where that was; results of earlier versions have none. */
  readonly path?: string
  readonly key?: string
  readonly container?: string
  readonly message: string
  readonly stream?: boolean
}

/**
 * Finds the files that failed according to a file of results, each with the key that it was to have. What failed without
 * one fails again. Fails `not-found`, and `usage` for what is no file of results, is about another target, or of a run that
 * did not try all files.
 */
export async function* readFailed(path: string, target: Target, walk: WalkOptions): AsyncGenerator<Found> {
  for await (const texts of sortNames(readRecords(path, target))) {
    for (const text of texts) {
      const [order = '', source = '', message = ''] = text.split('\0').map(each => Buffer.from(each, 'latin1'))
      const name = order.toString()
      const found = {path: source.toString(), name, order: order.toString('latin1')}
      if (message.length > 0) yield {...found, failure: new Failure('usage', message.toString()), isNameless: true}
      else if (!walk.isWanted(name)) continue
      else if (name.endsWith('/') && (await isFolder(found.path))) yield* walkBelow(found, walk)
      else yield found
    }
  }
}

/** A folder that could not be read: what it holds now. */
async function* walkBelow(folder: Found, walk: WalkOptions): AsyncGenerator<Found> {
  const below = (each: string): string => folder.name + each
  const isWanted: WalkOptions['isWanted'] = each => walk.isWanted(below(each))
  for await (const each of walkFolder(folder.path, {...walk, isWanted})) {
    yield {...each, name: below(each.name), order: folder.order + each.order}
  }
}

/** Yields order, source and message, each as bytes that sort by the order. */
async function* readRecords(path: string, target: Target): AsyncGenerator<[string]> {
  for await (const line of readFailedLines(path)) {
    const {source, key, container, message} = line
    if (line.stream === true) throw wasStream(source)
    const isHere = key === undefined || (container === target.container && key.startsWith(target.key))
    if (!isHere) {
      const there = `${target.remote}://${container ?? ''}/${key}`
      throw new Failure(
        'usage',
        `"${printable(source)}" was to become ${printable(there)}, which is not below ${formatTarget(target)}.`,
        {
          suggestion: 'Give the target of the run that wrote the results.',
        },
      )
    }
    const order = key === undefined ? source : key.slice(target.key.length)
    const record = [order, await findAgain(line), ...(key === undefined ? [message] : [])]
    yield [record.map(each => orderOf(each.replaceAll('\0', ''))).join('\0')]
  }
}

/** Where the file of a run in any folder is now: where it was, or else in a checkout at another place. */
async function findAgain({source, path}: FailedLine): Promise<string> {
  if (path === undefined || path === absolutePath(source)) return source
  return lstat(path).then(
    () => path,
    // What may not be looked at is there: another file of that name is none to send instead.
    (error: NodeJS.ErrnoException) => (NAMES_NOTHING.includes(error.code ?? '') ? source : path),
  )
}

async function* readFailedLines(path: string): AsyncGenerator<FailedLine> {
  const name = printable(path)
  let number = 0
  let wrong: number | undefined
  try {
    const handle = await open(path)
    for await (const text of handle.readLines()) {
      // Only the last line may be torn, by a kill.
      if (wrong !== undefined) throw notResults(name, wrong)
      number++
      const line = readLine(text)
      if (line === undefined) wrong = number
      else if (line.status === 'stopped') throw stoppedEarly(name)
      else if (line.status === 'failed') yield line
    }
    if (wrong === 1) throw notResults(name, wrong)
  } catch (error) {
    if (error instanceof Failure) throw error
    const {code, message} = error as NodeJS.ErrnoException
    const suggestion = 'Check its name.'
    if (code === 'ENOENT') {
      throw new Failure('not-found', `There is no file of results "${name}".`, {cause: error, suggestion})
    }
    throw new Failure('config', `The results "${name}" cannot be read: ${message}.`, {cause: error, suggestion})
  }
}

/** The source of such a line is a program or stdin: a file of that name is another thing. */
function wasStream(source: string): Failure {
  return new Failure('usage', `"${printable(source)}" was a stream, and what has come does not come again.`, {
    suggestion: 'Run the command of that run again.',
  })
}

/** To send what failed would look as if all were there. */
function stoppedEarly(name: string): Failure {
  return new Failure('usage', `The run that wrote "${name}" ended before it had tried all files.`, {
    suggestion: 'Run the command of that run again: it sends only what is missing.',
  })
}

function notResults(name: string, line: number): Failure {
  return new Failure('usage', `Line ${line} of "${name}" is not a result of an upload.`, {
    suggestion: 'Give a file that --results wrote.',
  })
}

function readLine(text: string): (FailedLine & {readonly status: string}) | undefined {
  try {
    const line = JSON.parse(text) as Partial<FailedLine> & {status?: unknown}
    const isResult =
      typeof line.status === 'string' &&
      typeof line.source === 'string' &&
      [line.path, line.key, line.container].every(each => each === undefined || typeof each === 'string') &&
      (line.status !== 'failed' || typeof line.message === 'string')
    return isResult ? (line as FailedLine & {status: string}) : undefined
  } catch {
    return undefined
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}
