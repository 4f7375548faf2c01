import type {ObjectStore, PendingUpload} from '../stores/store.ts'
import {openJournals} from '../upload/journal.ts'
import type {KeepSettings} from '../upload/session-keeper.ts'
import {findSurroundings, stateFolder} from './folders.ts'

export interface KeepFlags {
  readonly resume: string
  readonly 'state-dir'?: string | undefined
}

/** How an upload is kept for the next run; undefined for `--resume never`. */
export function createKeep(flags: KeepFlags, store: Pick<ObjectStore, 'listUploads'>): KeepSettings | undefined {
  if (flags.resume === 'never') return undefined
  const surroundings = findSurroundings()
  const {env} = surroundings
  const isPinned = Boolean(flags['state-dir'] ?? env['SKYLIFT_STATE_DIR'])
  const isCi = !['', '0', 'false'].includes(env['CI'] ?? '')
  return {
    resume: flags.resume === 'store' ? 'store' : 'auto',
    journals: openJournals(stateFolder(surroundings, flags['state-dir'])),
    // Where the journal will not survive the job, parts would only be paid for.
    keepParts: isPinned || !isCi,
    async findUpload(target, call) {
      let newest: PendingUpload | undefined
      for await (const each of store.listUploads(target, call)) {
        if (each.target.key === target.key && isNewer(each, newest)) newest = each
      }
      return newest
    },
  }
}

function isNewer(each: PendingUpload, other: PendingUpload | undefined): boolean {
  return other === undefined || (each.started?.getTime() ?? 0) > (other.started?.getTime() ?? 0)
}
