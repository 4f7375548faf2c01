import type {Config} from '@oclif/core'
import {Failure} from '../../core/failure.ts'
import type {Target} from '../../core/target.ts'
import type {Wire} from '../../http/send.ts'
import {openProbe} from '../../stores/open.ts'
import type {Remote} from '../../stores/remote.ts'
export type {PolicyLevel} from '../../stores/store.ts'
import type {Call, Probe, Store} from '../../stores/store.ts'
import type {ConnectionFlags} from '../flags.ts'
import {openRemote} from '../open-target.ts'
import {findRemote} from '../remotes.ts'

/** What is looked at: a target, as it is reached. */
export interface Patient {
  readonly target: Target
  readonly remote: Remote
  readonly store: Store
  readonly probe: Probe
  readonly wire: Wire
  readonly call: Call
}

/** A diagnosis waits for nobody: what does not work now is told now. */
const RETRY_FOR = 1000

/** Opens a target for the doctor; nothing is asked of the network. Fails `config`. */
export async function openPatient(
  target: Target,
  flags: ConnectionFlags & {readonly 'state-dir'?: string | undefined},
  {config, wire, call}: {readonly config: Config; readonly wire: Wire; readonly call: Call},
): Promise<Patient> {
  const remote = await findRemote(target.remote, flags, config)
  const store = await openRemote(remote, {flags: {...flags, 'retry-for': flags['retry-for'] ?? RETRY_FOR}, wire})
  const probe = await openProbe(store)
  if (probe === undefined) throw new Failure('unsupported', `There is no doctor for ${target.remote}://.`)
  return {target, remote, store, probe, wire, call}
}
