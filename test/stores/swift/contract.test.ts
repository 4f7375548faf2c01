import type {SwiftAuth} from '../../../src/stores/remote.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import type {OpenedStore} from '../contract.ts'
import {describeStore} from '../contract.ts'
import {makeContainer, openForeign, signIn, signInKeystone} from './foreign-swift.ts'
import type {SwiftAccess} from './foreign-swift.ts'
import {openSwift} from './open-swift.ts'

const CONTAINER = 'contract-ü 1'

/** Opens a Swift store, its twin with a wrong secret, and another client beside them. */
async function openBoth(auth: SwiftAuth, wrong: SwiftAuth, foreign: SwiftAccess): Promise<OpenedStore> {
  const [ours, theirs] = await Promise.all([openSwift({auth}), openSwift({auth: wrong})])
  await makeContainer(foreign, CONTAINER)
  return {
    store: ours.store,
    container: CONTAINER,
    foreign: openForeign(foreign, CONTAINER),
    wrongKey: theirs.store,
    close: () => {
      for (const each of [ours, theirs]) each.close()
      return Promise.resolve()
    },
  }
}

describeStore(
  'OpenStack Swift, v1',
  async context => {
    needSwift(context)
    const {v1} = await startSwift()
    const {authUrl, user, key} = v1
    const auth = {method: 'v1', authUrl, user, key} as const
    return openBoth(auth, {...auth, key: 'wrong'}, await signIn(v1))
  },
  {lacks: ['pages']},
)

describeStore(
  'OpenStack Swift, Keystone v3 password',
  async context => {
    needSwift(context, {withKeystone: true})
    const {env} = await startSwift({withKeystone: true})
    const auth = {
      method: 'v3-password',
      authUrl: env['OS_AUTH_URL'] ?? '',
      username: env['OS_USERNAME'] ?? '',
      password: env['OS_PASSWORD'] ?? '',
      projectName: env['OS_PROJECT_NAME'] ?? '',
    } as const
    return openBoth(auth, {...auth, password: 'wrong'}, await signInKeystone(env))
  },
  {lacks: ['pages']},
)

describeStore(
  'OpenStack Swift, application credential',
  async context => {
    needSwift(context, {withKeystone: true})
    const {env} = await startSwift({withKeystone: true})
    const auth = {
      method: 'application-credential',
      authUrl: env['OS_AUTH_URL'] ?? '',
      id: env['OS_APPLICATION_CREDENTIAL_ID'] ?? '',
      secret: env['OS_APPLICATION_CREDENTIAL_SECRET'] ?? '',
    } as const
    return openBoth(auth, {...auth, secret: 'wrong'}, await signInKeystone(env))
  },
  {lacks: ['pages']},
)
