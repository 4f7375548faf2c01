import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {text} from 'node:stream/consumers'
import {inspect} from 'node:util'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {fuzzAsync} from './fuzz.ts'

const WATCHDOG = new URL('watchdog.ts', import.meta.url).href
const STUCK = `
import {startWatchdog} from ${JSON.stringify(WATCHDOG)}
const watchdog = startWatchdog(300)
watchdog.watch('"harmless"')
watchdog.watch('"the input"')
for (;;);
`

describe('fuzz: a hang', () => {
  it('of what never settles is a failure that names the input and the seed', async () => {
    const tried: string[] = []
    const inputs = fc.string({minLength: 5}).map(word => `stuck ${word}`)
    const parse = (input: string): Promise<never> => {
      tried.push(input)
      return new Promise(() => {})
    }
    const error = await fuzzAsync(inputs, parse, 100).catch((thrown: unknown) => thrown as Error)
    expect(tried).to.have.length(1)
    expect(error).to.be.instanceOf(Error)
    const said = inspect(error)
    expect(said)
      .to.match(/seed: -?\d+/u)
      .and.to.include('did not settle in 0.1 s')
    expect(said).to.include(fc.stringify(tried[0]))
  })

  it('of what never yields ends the process, and names the input', async () => {
    const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '--eval', STUCK])
    const [said, [, signal]] = await Promise.all([text(child.stderr), once(child, 'close')])
    expect(signal).to.equal('SIGKILL')
    expect(said).to.include('Busy for 0.3 s with "the input"')
  })
})
