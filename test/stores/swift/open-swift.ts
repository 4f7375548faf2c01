import {createAgents} from '../../../src/http/agents.ts'
import type {Agents} from '../../../src/http/agents.ts'
import type {RequestRecord} from '../../../src/http/send.ts'
import {withLimit} from '../../../src/stores/layers/limit.ts'
import {withRetry} from '../../../src/stores/layers/retry.ts'
import type {SwiftRemote} from '../../../src/stores/remote.ts'
import type {KeyStore, Store} from '../../../src/stores/store.ts'
import {createConnection} from '../../../src/stores/swift/client.ts'
import {assembleStore, openConnection} from '../../../src/stores/swift/store.ts'

export interface OpenedSwift {
  readonly store: Store & KeyStore
  /** Every request that was sent so far. */
  readonly requests: RequestRecord[]
  /** Ends its connections. */
  close(): void
}

export interface OpenSwiftOptions {
  readonly env?: Record<string, string>
  readonly isBare?: boolean
  readonly pageSize?: number
  readonly agents?: Agents
  /** As of `withRetry`. */
  readonly retryFor?: number
}

/** Opens a Swift store with nothing of this machine's environment; with its layers on, unless `isBare`. */
export async function openSwift(
  remote: Omit<SwiftRemote, 'provider' | 'name'>,
  {env = {}, isBare = false, pageSize, agents = createAgents(), retryFor = 5000}: OpenSwiftOptions = {},
): Promise<OpenedSwift> {
  const requests: RequestRecord[] = []
  const {settings} = await openConnection(
    {provider: 'swift', name: 'test', ...remote},
    {wire: {agents, onRequest: record => requests.push(record)}, surroundings: {env, home: '/nonexistent'}},
  )
  const driver = assembleStore(createConnection({...settings, ...(pageSize === undefined ? {} : {pageSize})}))
  const store = isBare ? driver : withRetry(withLimit(driver, 8), {retryFor})
  return {store, requests, close: () => agents.close()}
}
