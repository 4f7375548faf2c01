import {setImmediate, setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {runWorkers} from '../../src/upload/workers.ts'

/** Keeps this thread from everything else. */
function work(milliseconds: number): void {
  for (const started = performance.now(); performance.now() - started < milliseconds;);
}

describe('workers', () => {
  /** Runs workers that share so many pieces of work and returns how many there were. */
  async function countWorkers(pieces: number, run: () => Promise<void>): Promise<number> {
    let left = pieces
    let count = 0
    await runWorkers(
      async () => {
        count++
        while (left-- > 0) await run()
      },
      4,
      32,
    )
    return count
  }

  it('become as many as may be while all of them wait', async () => {
    expect(await countWorkers(200, () => sleep(20))).to.equal(32)
  })

  it('stay few where the thread has no time to spare', async () => {
    const busy = async (): Promise<void> => {
      work(2)
      await setImmediate()
    }
    expect(await countWorkers(200, busy)).to.equal(4)
  })

  it('are all waited for, those that came later too, and tell how each ended', async () => {
    let count = 0
    let allCame = (): void => {}
    const all = new Promise<void>(resolve => (allCame = resolve))
    const ends = await runWorkers(
      async () => {
        const own = ++count
        if (own === 8) allCame()
        await all
        if (own > 4) await sleep(20).then(() => expect.fail(`no. ${own}`))
      },
      4,
      8,
    )
    expect(ends.map(({status}) => status)).to.deep.equal([
      ...Array.from({length: 4}, () => 'fulfilled'),
      ...Array.from({length: 4}, () => 'rejected'),
    ])
  })
})
