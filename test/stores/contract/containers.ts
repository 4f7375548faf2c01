import {randomBytes} from 'node:crypto'
import {expect} from 'chai'
import type {Target} from '../../../src/stores/store.ts'
import type {Bench} from './bench.ts'
import {collect, failureOf, newCall} from './bench.ts'

/** Containers come and go, and never with objects in them. */
export function describeContainers(bench: Bench): void {
  const newContainer = (): Target => ({...bench.at(''), container: `skylift-${randomBytes(6).toString('hex')}`})
  const listNames = async (): Promise<string[]> =>
    (await collect(bench.store.listContainers(newCall()))).map(({name}) => name)

  bench.it(['containers'], 'makes a container once, and says when it was there', async () => {
    const target = newContainer()
    expect(await listNames()).not.to.include(target.container)
    const first = await bench.store.createContainer(target, {}, newCall())
    const second = await bench.store.createContainer(target, {}, newCall())
    expect([first.created, second.created]).to.deep.equal([true, false])
    expect(await listNames()).to.include.members([target.container, bench.opened.container])
    expect((await bench.store.showContainer(target, newCall())).name).to.equal(target.container)
    await bench.store.deleteContainer(target, newCall())
    expect(await listNames()).not.to.include(target.container)
    await failureOf(bench.store.showContainer(target, newCall()), 'not-found')
    await failureOf(bench.store.deleteContainer(target, newCall()), 'not-found')
  })

  bench.it(['containers', 'keys', 'head'], 'keeps a container that is not empty, and what is in it', async () => {
    const target = newContainer()
    const object = {...target, key: 'object'}
    await bench.store.createContainer(target, {}, newCall())
    await bench.put(object, Buffer.from('kept'))
    await failureOf(bench.store.deleteContainer(target, newCall()), 'exists')
    expect(await bench.store.createContainer(target, {}, newCall())).to.include({created: false})
    expect(await bench.store.head(object, newCall())).to.include({size: 4})
    await bench.store.deleteObject(object, newCall())
    await bench.store.deleteContainer(target, newCall())
  })
}
