import * as fc from 'fast-check'
import {expect} from 'chai'
import type {ObjectInfo, Target} from '../../src/stores/store.ts'
import {lookUpListing, orderOf} from '../../src/upload/listing.ts'
import {createLookup} from '../../src/upload/lookup.ts'
import {mergeSorted} from '../../src/upload/merge-sorted.ts'

const CALL = {signal: new AbortController().signal}
const PREFIX: Target = {remote: 's3', container: 'box', key: 'p/'}

/** A store that lists these keys in the order of their bytes, and counts what it gave. */
function listOf(keys: readonly string[]) {
  const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const store = {
    given: 0,
    lists: 0,
    async *list(prefix: Target, _call: unknown, after = ''): AsyncGenerator<ObjectInfo> {
      store.lists++
      for (const key of sorted) {
        if (!key.startsWith(prefix.key) || Buffer.compare(Buffer.from(key), Buffer.from(after)) <= 0) continue
        store.given++
        yield {target: {...prefix, key}, size: key.length, etag: key}
      }
    },
  }
  return store
}

async function findAll(keys: readonly string[], wanted: readonly string[]) {
  const store = listOf(keys)
  const lookup = lookUpListing(store, PREFIX, CALL)
  const found: (string | undefined)[] = []
  for (const order of wanted.map(orderOf).toSorted()) found.push((await lookup.find(order))?.info.etag)
  await lookup.close()
  return {found, store}
}

describe('a listing that goes along', () => {
  const key = fc.string({unit: 'grapheme', minLength: 1, maxLength: 5}).map(text => `p/${text}`)

  it('finds what is there, and nothing else, whatever the names', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key), fc.uniqueArray(key), async (keys, wanted) => {
        const inOrder = wanted.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        const {found} = await findAll(keys, wanted)
        expect(found).to.deep.equal(inOrder.map(each => (keys.includes(each) ? each : undefined)))
      }),
      {numRuns: 200},
    )
  })

  it('takes one listing for files that lie close', async () => {
    const keys = Array.from({length: 5000}, (_, index) => `p/${String(index).padStart(5, '0')}`)
    const {found, store} = await findAll(keys, keys)
    expect(found.every(each => each !== undefined)).to.equal(true)
    expect(store.lists).to.be.at.most(2)
  })

  it('leaps over what nobody asks for, though it is much', async () => {
    const keys = Array.from({length: 100_000}, (_, index) => `p/${String(index).padStart(6, '0')}`)
    const wanted = ['p/000000', 'p/050000', 'p/090000', 'p/099999x']
    const {found, store} = await findAll(keys, wanted)
    expect(found).to.deep.equal(['p/000000', 'p/050000', 'p/090000', undefined])
    expect(store.given).to.be.below(20_000)
  })

  it('hides keys of a store that lists in an order of its own, and never gives another', async () => {
    const keys = ['p/c', 'p/a', 'p/b']
    async function* list(prefix: Target): AsyncGenerator<ObjectInfo> {
      for (const each of keys) yield {target: {...prefix, key: each}, size: 1, etag: each}
    }
    const lookup = lookUpListing({list}, PREFIX, CALL)
    expect(await lookup.find('p/a')).to.equal(undefined)
    expect((await lookup.find('p/c'))?.info.etag).to.equal('p/c')
  })
})

describe('createLookup', () => {
  async function* each(orders: readonly string[]): AsyncGenerator<{order: string; at: number}> {
    let at = 0
    for (const order of orders) yield {order, at: at++}
  }

  it('gives the last of several that are known of one key', async () => {
    const lookup = createLookup(() => each(['a', 'a', 'b', 'c', 'c']), false)
    expect((await lookup.find('a'))?.at).to.equal(1)
    expect((await lookup.find('c'))?.at).to.equal(4)
    expect(await lookup.find('d')).to.equal(undefined)
  })
})

describe('mergeSorted', () => {
  it('keeps the order, and that of its streams where keys are the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd')), {maxLength: 5}), async lists => {
        async function* stream(orders: readonly string[], from: number): AsyncGenerator<{order: string; from: number}> {
          for (const order of orders.toSorted()) yield {order, from}
        }
        const merged: {order: string; from: number}[] = []
        for await (const item of mergeSorted(lists.map(stream))) merged.push(item)
        const all = lists.flatMap((orders, from) => orders.map(order => ({order, from})))
        expect(merged).to.deep.equal(
          all.toSorted((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : a.from - b.from)),
        )
      }),
    )
  })

  it('closes all its streams when it is left early', async () => {
    const closed: string[] = []
    async function* stream(name: string): AsyncGenerator<{order: string}> {
      try {
        for (;;) yield {order: name}
      } finally {
        closed.push(name)
      }
    }
    for await (const _ of mergeSorted([stream('a'), stream('b')])) break
    expect(closed.toSorted()).to.deep.equal(['a', 'b'])
  })
})
