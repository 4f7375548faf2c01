import {Failure, isFailure} from '../core/failure.ts'
import type {Call, Store} from '../stores/store.ts'
import type {ConnectionFlags} from './flags.ts'
import {findSurroundings} from './folders.ts'
import {watchInterrupts} from './interrupts.ts'
import {openRemote} from './open-target.ts'
import {connectSaved} from './saved-connection.ts'
import type {SavedRemote} from './saved-remote.ts'

/** Asks the store of a remote whether it knows the credentials, and says what that showed. Fails as the store does. */
export async function checkRemote(name: string, saved: SavedRemote, flags: ConnectionFlags): Promise<string> {
  const interrupts = watchInterrupts()
  try {
    const remote = await connectSaved(name, saved, {}, findSurroundings().env)
    return await findFirst(await openRemote(remote, {flags}), {signal: interrupts.signal})
  } catch (error) {
    // A key that may do little is a good one; what it may do shows the doctor.
    if (isFailure(error, 'forbidden')) return 'Checked: it answers, and knows the key, which may not list containers.'
    throw isFailure(error) ? notSaved(error) : error
  } finally {
    interrupts.stop()
  }
}

async function findFirst(store: Store, call: Call): Promise<string> {
  for await (const {name} of store.listContainers(call)) return `Checked: it answers, and has the container "${name}".`
  return 'Checked: it answers, and has no container yet.'
}

function notSaved(failure: Failure): Failure {
  const {code, message, context, retryable, suggestion} = failure
  return new Failure(code, message, {
    context,
    retryable,
    cause: failure,
    suggestion: `Nothing was saved; without --check it is.${suggestion === undefined ? '' : ` ${suggestion}`}`,
  })
}
