import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {fetchedCredentials} from '../../../src/stores/s3/credentials.ts'
import type {Credentials} from '../../../src/stores/s3/sign.ts'

const KEYS: Credentials = {accessKeyId: 'id', secretAccessKey: 'secret'}
const SOON = 60_000

describe('credentials that are fetched', () => {
  let asked: number
  beforeEach(() => (asked = 0))

  /** What each of many callers at once gets. */
  async function askTogether(source: ReturnType<typeof fetchedCredentials>): Promise<unknown[]> {
    const ends = await Promise.allSettled(Array.from({length: 20}, async () => source(false)))
    return ends.map(end => (end.status === 'fulfilled' ? end.value : (end.reason as Error).message))
  }

  it('are fetched once for all who ask at once', async () => {
    const source = fetchedCredentials(async () => {
      asked++
      await sleep(5)
      return KEYS
    })
    expect(new Set(await askTogether(source))).to.deep.equal(new Set([KEYS]))
    expect(asked).to.equal(1)
  })

  it('fail all who asked at once when they cannot be fetched, and are fetched again by the next', async () => {
    const source = fetchedCredentials(async () => {
      asked++
      await sleep(5)
      if (asked === 1) throw new Error('none')
      return KEYS
    })
    expect(new Set(await askTogether(source))).to.deep.equal(new Set(['none']))
    expect(asked).to.equal(1)
    expect(await source(false)).to.equal(KEYS)
  })

  it('are fetched anew once for all before they end', async () => {
    const source = fetchedCredentials(async () => {
      asked++
      await sleep(5)
      return {...KEYS, expiration: new Date(Date.now() + (asked === 1 ? SOON : 60 * SOON))}
    })
    await source(false)
    await askTogether(source)
    expect(asked).to.equal(2)
  })
})
