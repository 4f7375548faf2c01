import {setTimeout} from 'node:timers/promises'
import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import {expect} from 'chai'
import {onAbort} from '../../src/core/signals.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe('a callback at an abort', () => {
  it('is called once, and not after it was let go', () => {
    const controller = new AbortController()
    const calls: string[] = []
    onAbort(controller.signal, () => calls.push('kept'))
    const letGo = onAbort(controller.signal, () => calls.push('let go'))
    letGo()
    controller.abort()
    controller.signal.dispatchEvent(new Event('abort'))
    expect(calls).to.deep.equal(['kept'])
  })

  it('is not held by a listener that outlives it', async () => {
    const {signal} = new AbortController()
    const listeners: unknown[] = []
    const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void
    signal.addEventListener = (...args: unknown[]) => {
      listeners.push(args[1])
      add(...args)
    }
    function listen(): {readonly held: WeakRef<object>; letGo(): void} {
      const large = Buffer.alloc(1000)
      return {held: new WeakRef(large), letGo: onAbort(signal, () => large.fill(1))}
    }
    const {held, letGo} = listen()
    // A reference that was just made, or read, is kept until the next turn.
    await setTimeout()
    collect()
    expect(held.deref()).to.not.equal(undefined)
    letGo()
    await setTimeout()
    collect()
    expect(held.deref()).to.equal(undefined)
    expect(listeners).to.have.lengthOf(1)
  })
})
