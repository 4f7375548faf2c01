import {afterEach, beforeEach} from 'mocha'
import nock from 'nock'

// From its import on nock stands between every test of the process and its real servers.
nock.restore()

export {nock}

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
