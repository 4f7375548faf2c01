import type {Target} from '../../core/target.ts'
import {ok} from './checks.ts'
import type {Check} from './checks.ts'
import {networkChecks} from './network-checks.ts'
import type {Patient} from './patient.ts'
import {accountChecks, containerChecks, credentialsCheck} from './store-checks.ts'
import {writeCheck} from './write-check.ts'

/** All checks of a target in order; `opened` is the failure where it could not be opened, and the first check tells it. */
export function planChecks(target: Target, opened: Patient | Error, isWrite: boolean): readonly Check[] {
  const patient = (): Patient => {
    if (opened instanceof Error) throw opened
    return opened
  }
  const remote: Check = {
    name: 'remote',
    run: () => Promise.resolve().then(() => ok(`${target.remote}:// is ${patient().store.endpoint}`)),
  }
  // Swift's sign-in says where the store is; everywhere else the network comes first, since keys may be fetched by it.
  const isSwift = !(opened instanceof Error) && opened.remote.provider === 'swift'
  const way = isSwift
    ? [credentialsCheck('remote', patient), ...networkChecks('credentials', patient)]
    : [...networkChecks('remote', patient), credentialsCheck('connection', patient)]
  const isAccount = target.container === ''
  return [
    remote,
    ...way,
    ...(isAccount ? accountChecks(patient) : containerChecks(patient)),
    ...(isWrite && !isAccount ? [writeCheck(patient)] : []),
  ]
}
