import {Args} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import type {Target} from '../core/target.ts'
import {hasTickets} from '../stores/open.ts'
import type {TicketStore} from '../stores/open.ts'
import type {Store} from '../stores/store.ts'
import type {OpenStore} from './store-command.ts'
import {StoreCommand} from './store-command.ts'

export const ticketArgs = {
  file: Args.string({description: 'the ticket; - for stdin', required: true, ignoreStdin: true}),
}

export interface OpenTickets extends OpenStore {
  readonly store: Store & TicketStore
}

/** What the commands about tickets share: a store that makes some. */
export abstract class TicketCommand extends StoreCommand {
  protected async useTickets<T>(
    target: Target,
    flags: Parameters<StoreCommand['useStore']>[1],
    use: (open: OpenTickets) => Promise<T>,
    isForWriting = false,
  ): Promise<T> {
    const useAll = async (open: OpenStore): Promise<T> => {
      const {store} = open
      if (!hasTickets(store)) throw new Failure('unsupported', 'This store makes no tickets.')
      return use({...open, store})
    }
    return this.useStore(target, flags, useAll, isForWriting)
  }
}
