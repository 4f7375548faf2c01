import {afterEach, beforeEach} from 'mocha'
import nock from 'nock'
import {createAgents} from '../../src/http/agents.ts'
import type {Agents} from '../../src/http/agents.ts'

// From its import on nock stands between every test of the process and its real servers.
nock.restore()

export {nock}

/** Agents whose requests nock sees: it stands in Node's own client, which small bodies pass by. */
export function createNockedAgents(): Agents {
  return {...createAgents(), quickFor: () => undefined}
}

/** Lets nock answer instead of the network; a request that it has no answer for fails. */
export function startNock(): void {
  if (!nock.isActive()) nock.activate()
  nock.disableNetConnect()
}

/** Gives the network back and forgets every answer. */
export function stopNock(): void {
  nock.cleanAll()
  nock.enableNetConnect()
  nock.restore()
}

/** For the tests of one suite: called in its `describe`, behind hooks that want to see what was not asked. */
export function useNock(): void {
  beforeEach(startNock)
  afterEach(stopNock)
}
