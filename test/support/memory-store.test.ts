import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {bufferBody} from '../../src/core/buffer-body.ts'
import type {Call, Part, PartPlan} from '../../src/stores/store.ts'
import {createMemoryStore, failNth} from './memory-store.ts'

const TARGET = {remote: 'test', container: 'box', key: 'object'}
const call: Call = {signal: new AbortController().signal}
const bytes = bufferBody(Buffer.from('0123456789'))

async function codeOf(running: Promise<unknown>): Promise<string> {
  return running.then(
    () => 'no failure',
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  )
}

// What it does for a caller who keeps the contract stands in test/stores/contract.test.ts.
describe('the store in memory', () => {
  it('refuses plans and parts that break the contract', async () => {
    const store = createMemoryStore({limits: {part: {min: 4, max: 10, count: 3, equal: false}}})
    const plans: PartPlan[] = [
      {size: 10, partSize: 3, count: 4},
      {size: 10, partSize: 4, count: 2},
      {size: 10, partSize: 11, count: 1},
      {size: 40, partSize: 10, count: 4},
    ]
    for (const plan of plans) expect(await codeOf(store.begin(TARGET, {}, plan, call))).to.equal('unexpected')

    const session = await store.begin(TARGET, {}, {size: 14, partSize: 10, count: 2}, call)
    const parts: Part[] = [
      {number: 0, offset: -10, size: 10},
      {number: 1, offset: 1, size: 10},
      {number: 2, offset: 0, size: 10},
      {number: 1, offset: 0, size: 9},
      {number: 4, offset: 30, size: 10},
    ]
    for (const part of parts) expect(await codeOf(store.putPart(session, part, bytes, call))).to.equal('unexpected')
    expect(await store.listParts(session, call)).to.deep.equal([])
  })

  it('refuses receipts that are not those of all parts in order', async () => {
    const store = createMemoryStore()
    const session = await store.begin(TARGET, {}, {size: 20, partSize: 10, count: 2}, call)
    const first = await store.putPart(session, {number: 1, offset: 0, size: 10}, bytes, call)
    const second = await store.putPart(session, {number: 2, offset: 10, size: 10}, bytes, call)
    for (const receipts of [[], [first], [second], [second, first], [first, second, second]]) {
      expect(await codeOf(store.complete(session, receipts, call))).to.equal('unexpected')
    }
    expect(await codeOf(store.complete(session, [first, {...second, etag: `"${second.etag}"`}], call))).to.equal(
      'unexpected',
    )
    expect(store.objects.size).to.equal(0)
    expect((await store.complete(session, [first, second], call)).size).to.equal(20)
  })

  it('fails the calls that it is told to fail, without any effect', async () => {
    const store = createMemoryStore({before: failNth('putWhole', 1, 3)})
    const codes: string[] = []
    for (let nth = 1; nth <= 4; nth++) codes.push(await codeOf(store.putWhole(TARGET, bytes, {noClobber: true}, call)))
    expect(codes).to.deep.equal(['network', 'no failure', 'network', 'exists'])
    expect(store.calls.map(({verb, nth}) => `${verb} ${nth}`)).to.deep.equal([1, 2, 3, 4].map(nth => `putWhole ${nth}`))
  })

  it('loses answers of what it has done', async () => {
    const store = createMemoryStore({after: failNth('putWhole')})
    expect(await codeOf(store.putWhole(TARGET, bytes, {}, call))).to.equal('network')
    expect(String(store.objects.get('box/object')?.bytes)).to.equal('0123456789')
  })

  it('lets a hook hold a call until it is told to stop', async () => {
    const store = createMemoryStore({before: () => new Promise(() => {})})
    const controller = new AbortController()
    const running = codeOf(store.head(TARGET, {signal: controller.signal}))
    controller.abort(new Error('enough'))
    expect(await running).to.equal('Error: enough')
  })

  it('takes whole objects only where it has no parts', async () => {
    const {part: _, ...limits} = await createMemoryStore().limits(call)
    const store = createMemoryStore({wholeOnly: true})
    expect(await store.limits(call)).to.deep.equal(limits)
    expect(await codeOf(store.begin(TARGET, {}, {size: 1, partSize: 1, count: 1}, call))).to.equal('unsupported')
  })
})
