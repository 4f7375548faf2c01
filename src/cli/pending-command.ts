import {Args} from '@oclif/core'
import type {Call, Store, Target} from '../stores/store.ts'
import {openJournals} from '../upload/journal.ts'
import type {Journals} from '../upload/journal.ts'
import {BaseCommand} from './base-command.ts'
import {connectionFlags, stateFlags} from './flags.ts'
import type {ConnectionFlags} from './flags.ts'
import {findSurroundings, stateFolder} from './folders.ts'
import {watchInterrupts} from './interrupts.ts'
import {openTarget} from './open-target.ts'
import {abortPending, isByTicket, pendingToJson} from './pending.ts'
import type {Pending} from './pending.ts'
import {describePending} from './pending-words.ts'
import {targetArgument} from './target-argument.ts'

export interface PendingPlace {
  readonly journals: Journals
  readonly place: {readonly target: Target; readonly store: Store} | undefined
  readonly call: Call
}

/** What the commands about unfinished uploads share. */
export abstract class PendingCommand extends BaseCommand {
  static override baseFlags = {...BaseCommand.baseFlags, ...connectionFlags, ...stateFlags}

  static targetArg = Args.string({
    description: 'container, prefix or object; without it, what the journals of this machine know',
    ignoreStdin: true,
  })

  protected async openPlace(
    text: string | undefined,
    flags: ConnectionFlags & {'state-dir'?: string | undefined},
  ): Promise<PendingPlace> {
    const journals = openJournals(stateFolder(findSurroundings(), flags['state-dir']))
    const call = {signal: watchInterrupts().signal}
    if (text === undefined) return {journals, place: undefined, call}
    const target = targetArgument(text, 'container')
    return {journals, call, place: {target, store: await openTarget(target, {flags, config: this.config})}}
  }

  protected tellAll(all: readonly Pending[], none: string): unknown {
    if (!this.jsonEnabled())
      this.log(all.length === 0 ? none : all.map(each => describePending(each, Date.now())).join('\n'))
    return {ok: true, pending: all.map(pendingToJson)}
  }

  /** Aborts each; a store is opened once for every remote. */
  protected async abortAll(
    all: readonly Pending[],
    {journals, place, call}: PendingPlace,
    flags: ConnectionFlags & {'state-dir'?: string | undefined},
  ): Promise<void> {
    const stores = new Map<string, Store>()
    for (const each of all) {
      if (isByTicket(each)) {
        await abortPending(each, journals, undefined, call)
        continue
      }
      const store =
        place?.store ?? stores.get(each.target.remote) ?? (await openTarget(each.target, {flags, config: this.config}))
      stores.set(each.target.remote, store)
      await abortPending(each, journals, store, call)
    }
  }
}
