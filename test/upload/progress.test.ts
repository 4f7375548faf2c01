import {expect} from 'chai'
import * as fc from 'fast-check'
import type {UploadEvent} from '../../src/upload/events.ts'
import {advance, emptyProgress, movedOf, sentOf} from '../../src/upload/progress.ts'
import type {Progress} from '../../src/upload/progress.ts'

type Start = UploadEvent & {event: 'start'}

const START: Start = {
  event: 'start',
  id: 1,
  source: 'a.bin',
  target: 's3://c/a.bin',
  size: 100,
  parts: 4,
  partSize: 25,
  kept: 0,
}

function start(changes: Partial<Start> = {}): Start {
  return {...START, ...changes}
}

function progress(part: number, sent: number, id = 1): UploadEvent {
  return {event: 'progress', id, part, sent}
}

function stored(part: number, size: number, id = 1): UploadEvent {
  return {event: 'stored', id, part, size}
}

function retry(part: number, id = 1): UploadEvent {
  return {event: 'retry', id, part, attempt: 2, wait: 1200, code: 'network', message: 'The connection was reset.'}
}

function done(size: number, id = 1): UploadEvent {
  const target = {remote: 's3', container: 'c', key: 'a.bin'}
  return {event: 'done', id, elapsed: 5, object: {target, size, etag: 'x', verified: {by: 'crc32'}}}
}

function failed(id = 1): UploadEvent {
  return {event: 'failed', id, code: 'network', message: 'The network is gone.'}
}

function fold(events: readonly UploadEvent[], from: Progress = emptyProgress()): Progress {
  let known = from
  for (const event of events) known = advance(known, event)
  return known
}

function sums({size, sent, kept}: Progress): object {
  return {size, sent, kept}
}

describe('advance', () => {
  it('adds what is stored to what is on its way', () => {
    const known = fold([start(), progress(1, 10), progress(2, 5), progress(1, 25), stored(1, 25), progress(2, 7)])
    expect(sums(known)).to.deep.equal({size: 100, sent: 32, kept: 0})
    expect([...(known.active.get(1)?.inflight ?? [])]).to.deep.equal([[2, 7]])
  })

  it('keeps what an earlier run stored apart', () => {
    const known = fold([start({kept: 50}), progress(3, 10)])
    expect(sums(known)).to.deep.equal({size: 100, sent: 60, kept: 50})
    expect(movedOf(known)).to.equal(10)
    expect(movedOf(fold([progress(3, 25), stored(3, 25), stored(4, 25), done(100)], known))).to.equal(50)
  })

  it('lowers the total at a retry, and tells of it until the part moves again', () => {
    const before = fold([start(), progress(1, 20), progress(2, 5), retry(1)])
    expect(before.sent).to.equal(5)
    expect(before.retries).to.equal(1)
    expect(before.active.get(1)?.retrying).to.include({part: 1, attempt: 2, wait: 1200})
    const other = fold([progress(2, 6), progress(1, 0)], before)
    expect(other.active.get(1)?.retrying?.part).to.equal(1)
    expect(fold([progress(1, 1)], other).active.get(1)).not.to.have.property('retrying')
    expect(fold([stored(1, 25)], other).active.get(1)).not.to.have.property('retrying')
  })

  it('lets an object go when it is done, and counts it full even where nothing was said of its bytes', () => {
    const known = fold([start({parts: 0}), done(100)])
    expect(known.active.size).to.equal(0)
    expect(known).to.include({started: 1, done: 1, failed: 0, size: 100, sent: 100})
  })

  it('takes the bytes of a failed object out of the totals', () => {
    const known = fold([start({kept: 25}), start({id: 2}), progress(2, 10), progress(1, 3, 2), failed()])
    expect(known).to.include({started: 2, done: 0, failed: 1})
    expect(sums(known)).to.deep.equal({size: 100, sent: 3, kept: 0})
  })

  it('passes over what is not under way: never started, done, failed', () => {
    const known = fold([start(), done(100), start({id: 2}), failed(2)])
    const late = [1, 2, 3].flatMap(id => [
      progress(1, 9, id),
      stored(1, 25, id),
      retry(1, id),
      {event: 'finishing', id} as const,
      done(100, id),
      failed(id),
    ])
    expect(fold(late, known)).to.equal(known)
  })

  it('begins anew when an object under way starts again', () => {
    const known = fold([start({kept: 50}), progress(3, 20), start()])
    expect(known.started).to.equal(1)
    expect(sums(known)).to.deep.equal({size: 100, sent: 0, kept: 0})
  })

  it('follows an object whose size is not known until the end', () => {
    const known = fold([start({size: -1}), stored(1, 25), progress(2, 5)])
    expect(sums(known)).to.deep.equal({size: 30, sent: 30, kept: 0})
    expect(sums(fold([done(70)], known))).to.deep.equal({size: 70, sent: 70, kept: 0})
  })

  it('tells the phase and keeps the last few notes', () => {
    const notes = Array.from({length: 50}, (_, i) => ({event: 'note', id: 1, message: `${i}`}) as const)
    const known = fold([start(), {event: 'finishing', id: 1}, ...notes])
    expect(known.active.get(1)?.phase).to.equal('finishing')
    expect(known.notes).to.deep.equal(['45', '46', '47', '48', '49'])
  })

  it('changes nothing that it was given', () => {
    const before = fold([start(), progress(1, 10)])
    const copy = structuredClone(before)
    fold([progress(1, 20), retry(1), stored(2, 25), {event: 'finishing', id: 1}, done(100)], before)
    expect(before).to.deep.equal(copy)
  })

  it('stays small and quick for 100,000 objects', () => {
    let known = emptyProgress()
    let most = 0
    for (let id = 1; id <= 100_000; id++) {
      known = advance(known, start({id, parts: 0}))
      known = advance(known, progress(0, 60, id))
      most = Math.max(most, known.active.size)
      if (id > 8) known = advance(known, done(100, id - 8))
    }
    expect(most).to.equal(9)
    expect(known).to.include({done: 99_992, size: 10_000_000, sent: 9_999_680})
  })
})

/** The events of one part in their order: it moves, is perhaps tried again, and is perhaps stored. */
function partEvents(part: number, size: number): fc.Arbitrary<UploadEvent[]> {
  const attempt = fc
    .array(fc.integer({min: 0, max: size}), {maxLength: 4})
    .map(sizes => sizes.toSorted((a, b) => a - b).map(sent => progress(part, sent)))
  return fc
    .tuple(fc.array(attempt, {minLength: 1, maxLength: 3}), fc.boolean())
    .map(([attempts, ends]) => [
      ...attempts.flatMap((events, index) => (index === 0 ? events : [retry(part), ...events])),
      ...(ends ? [stored(part, size)] : []),
    ])
}

const withId = (event: UploadEvent, id: number): UploadEvent => ({...event, id})

interface Run {
  readonly starts: Start[]
  /** One list for each part of each object. */
  readonly lists: UploadEvent[][]
}

const runs: fc.Arbitrary<Run> = fc
  .array(
    fc.record({parts: fc.integer({min: 1, max: 5}), partSize: fc.integer({min: 1, max: 50}), kept: fc.nat({max: 5})}),
    {minLength: 1, maxLength: 4},
  )
  .chain(shapes => {
    const starts = shapes.map(({parts, partSize, kept}, index) =>
      start({id: index + 1, parts, partSize, size: parts * partSize, kept: Math.min(kept, parts) * partSize}),
    )
    const lists = starts.flatMap(({id, parts, partSize, kept}) =>
      Array.from({length: parts - kept / partSize}, (_, index) =>
        partEvents(kept / partSize + index + 1, partSize).map(events => events.map(event => withId(event, id))),
      ),
    )
    return fc.record({starts: fc.constant(starts), lists: fc.tuple(...lists)})
  })

/** Merges the lists into one; each keeps its own order. */
function interleave(lists: readonly UploadEvent[][], picks: readonly number[]): UploadEvent[] {
  const queues = lists.map(list => [...list])
  const merged: UploadEvent[] = []
  for (let turn = 0; ; turn++) {
    const open = queues.filter(queue => queue.length > 0)
    const queue = open[(picks[turn % picks.length] ?? 0) % Math.max(1, open.length)]
    if (queue === undefined) return merged
    const next = queue.shift()
    if (next !== undefined) merged.push(next)
  }
}

const somePicks = fc.array(fc.nat({max: 20}), {minLength: 1, maxLength: 40})

/** Everything but which retry was the last: that depends on the order, as it says. */
function comparable(known: Progress): object {
  const active = [...known.active].map(([id, object]) => [
    id,
    {...object, retrying: undefined, inflight: [...object.inflight].toSorted(([a], [b]) => a - b)},
  ])
  return {...known, active}
}

describe('advance, whatever happens', () => {
  it('never tells more than there is, and its totals are the sums of its objects', () => {
    const ends = fc.array(fc.record({at: fc.nat({max: 200}), id: fc.integer({min: 1, max: 5}), good: fc.boolean()}))
    fc.assert(
      fc.property(runs, somePicks, ends, ({starts, lists}, picks, ends) => {
        const events = interleave(lists, picks)
        for (const {at, id, good} of ends) {
          const size = starts[id - 1]?.size ?? 0
          events.splice(Math.min(at, events.length), 0, good ? done(size, id) : failed(id))
        }
        let known = fold(starts)
        let finished = 0
        for (const event of events) {
          const before = known
          known = advance(known, event)
          if (known.done > before.done) finished += before.active.get(event.id)?.size ?? Number.NaN
          const active = [...known.active.values()]
          expect(known.sent).to.equal(active.reduce((sum, object) => sum + sentOf(object), finished))
          expect(known.size).to.equal(active.reduce((sum, object) => sum + object.size, finished))
          expect(known.kept).to.be.within(0, known.sent)
          expect(known.sent).to.be.at.most(known.size)
          expect(known.started).to.equal(known.done + known.failed + known.active.size)
        }
      }),
      {numRuns: 300},
    )
  })

  it('does not depend on the order of events between parts', () => {
    fc.assert(
      fc.property(runs, somePicks, somePicks, ({starts, lists}, one, other) => {
        const first = fold(interleave(lists, one), fold(starts))
        const second = fold(interleave(lists, other), fold(starts))
        expect(comparable(first)).to.deep.equal(comparable(second))
      }),
      {numRuns: 300},
    )
  })
})
