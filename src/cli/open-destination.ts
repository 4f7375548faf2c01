import {Failure} from '../core/failure.ts'
import type {Destination, Target} from '../core/target.ts'
import type {LinkStore, UploadStore} from '../stores/store.ts'
import type {KeepSettings} from '../upload/session-keeper.ts'
import {createKeep} from './keep.ts'
import type {KeepFlags} from './keep.ts'
import {openTarget} from './open-target.ts'
import type {OpenTargetOptions} from './open-target.ts'

/** Where an upload goes, however it was named: what is known before anything is asked of the network. */
export interface FoundDestination {
  readonly target: Target
  open(): Promise<OpenDestination>
}

export interface OpenDestination {
  readonly store: UploadStore
  /** Absent where there are no credentials to sign with. */
  readonly links?: LinkStore
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
      throw new Failure('unsupported', 'Uploading to a temp URL is not possible in this version.')
    }
    case 'ticket': {
      throw new Failure('unsupported', 'Uploading with a ticket is not possible in this version.')
    }
    default: {
      const {kind: _, ...target} = destination
      return {
        target,
        async open() {
          const store = await openTarget(target, options)
          const keep = createKeep(options.flags, store)
          return {store, links: store, ...(keep === undefined ? {} : {keep})}
        },
      }
    }
  }
}
