import {formatDuration} from '../core/durations.ts'
import type {Wire} from '../http/send.ts'
import type {Call, Store, Target} from '../stores/store.ts'
import {BaseCommand} from './base-command.ts'
import {connectionFlags, stateFlags} from './flags.ts'
import type {ConnectionFlags} from './flags.ts'
import {watchInterrupts} from './interrupts.ts'
import {openTarget} from './open-target.ts'
import {createWire} from './wire.ts'

/** A store that is open for one command, and how a call to it can be interrupted. */
export interface OpenStore {
  readonly store: Store
  readonly call: Call
  readonly wire: Wire
}

/** What the commands about containers and links share: a store, Ctrl-C, notes on stderr. */
export abstract class StoreCommand extends BaseCommand {
  static override baseFlags = {...BaseCommand.baseFlags, ...connectionFlags, ...stateFlags}

  /** Opens the store of a target for as long as `use` takes; `isForWriting` makes what a sandbox lacks. */
  protected async useStore<T>(
    target: Target,
    flags: ConnectionFlags & {readonly 'state-dir'?: string | undefined},
    use: (open: OpenStore) => Promise<T>,
    isForWriting = false,
  ): Promise<T> {
    const wire = createWire(flags)
    const interrupts = watchInterrupts()
    const call: Call = {
      signal: interrupts.signal,
      onRetry: ({wait, failure}) => this.tellAside([`${failure.message} Trying again in ${formatDuration(wait)}.`]),
    }
    try {
      return await use({store: await openTarget(target, {flags, config: this.config, wire, isForWriting}), call, wire})
    } finally {
      interrupts.stop()
    }
  }
}
