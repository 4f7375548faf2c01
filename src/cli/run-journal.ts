import {isFailure} from '../core/failure.ts'
import {formatTarget} from '../core/target.ts'
import type {Target} from '../core/target.ts'
import {takeRunJournal} from '../upload/run-journal.ts'
import type {RunJournal} from '../upload/run-journal.ts'
import type {ObjectFlags} from './object-options.ts'

/** What makes an object other than its file does: with other options, all files are sent again. */
const OPTIONS = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'metadata',
  'tag',
  'storage-class',
  'acl',
  'sse',
  'sse-kms-key-id',
  'delete-after',
] as const satisfies readonly (keyof ObjectFlags)[]

export interface RunJournalNeeds {
  readonly folder: string
  readonly endpoint: string
  readonly target: Target
  readonly sources: readonly string[]
  readonly flags: ObjectFlags
  tell(message: string): void
}

/** Takes the journal of a run; undefined where the disk does not let us, which is told. Fails `busy`. */
export async function openRunJournal({
  folder,
  endpoint,
  target,
  sources,
  flags,
  tell,
}: RunJournalNeeds): Promise<RunJournal | undefined> {
  const options = JSON.stringify(OPTIONS.map(name => flags[name] ?? null))
  const identity = {store: endpoint, target: formatTarget(target), sources}
  try {
    return await takeRunJournal(folder, identity, options, error => {
      tell(`The journal cannot be written any more, so what is stored now is sent again after a kill: ${words(error)}.`)
    })
  } catch (error) {
    if (isFailure(error, 'busy')) throw error
    tell(`This run cannot go on after a kill: ${words(error)}.`)
    return undefined
  }
}

function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/u, '')
}
