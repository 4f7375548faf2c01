import type {Destination, Target} from '../core/target.ts'
import type {LinkStore, ObjectStore, UploadStore} from '../stores/store.ts'
import type {KeepSettings} from '../upload/session-keeper.ts'
import {createKeep} from './keep.ts'
import type {KeepFlags} from './keep.ts'
import {openTarget} from './open-target.ts'
import type {OpenTargetOptions} from './open-target.ts'

/** Where an upload goes, however it was named: what is known before anything is asked of the network. */
export interface FoundDestination {
  readonly target: Target
  /** What to do instead of sending several files there, where that is no folder. */
  readonly forSeveral?: string
  open(): Promise<OpenDestination>
}

export interface OpenDestination {
  readonly store: UploadStore
  /** Absent where there are no credentials to sign with. */
  readonly links?: LinkStore
  /** Absent where nothing can be listed. */
  readonly objects?: ObjectStore
  /** Absent: nothing is kept for the next run. */
  readonly keep?: KeepSettings
}

/** Finds a target, a temp URL or a ticket. Fails `usage`, `config`, and `expired` for a ticket or URL past its end. */
export async function findDestination(
  destination: Destination,
  options: OpenTargetOptions & {readonly flags: OpenTargetOptions['flags'] & KeepFlags},
): Promise<FoundDestination> {
  switch (destination.kind) {
    case 'url': {
      const {findUrl} = await import('./open-url.ts')
      return findUrl(destination, options)
    }
    case 'ticket': {
      const {findTicket} = await import('./open-ticket.ts')
      return findTicket(destination.file, options)
    }
    default: {
      const {kind: _, ...target} = destination
      return {
        target,
        async open() {
          const store = await openTarget(target, options)
          const keep = createKeep(options.flags, store)
          return {store, links: store, objects: store, ...(keep === undefined ? {} : {keep})}
        },
      }
    }
  }
}
