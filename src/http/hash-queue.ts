import {availableParallelism} from 'node:os'
import type {Body, FilePlace} from '../core/body.ts'
import {MIB} from '../core/sizes.ts'
import {onAbort} from '../core/signals.ts'
import {createHashThread} from './hash-thread.ts'

export interface Sums {
  readonly crc: number
  /** Binary; there where it was wished. */
  readonly md5?: Buffer
}

/** What to sum. */
export interface SumWish<B extends Body = Body> {
  readonly body: B
  readonly withMd5: boolean
  readonly signal: AbortSignal
}

export type FileBody = Body & {readonly file: FilePlace}

/** Sums on this thread. Fails what the body fails, or `signal.reason`. */
export type SumHere = (wish: SumWish) => Promise<Sums>

/** Sums files on a thread beside the sending where there is much to sum, one after another on this one otherwise. */
export interface HashQueue {
  /** Sums on this thread until the other is there, and where there can be none. */
  sumInTurn(wish: SumWish<FileBody>): Promise<Sums>
  /** Sums on the other thread, or undefined where it is not there and not on its way. */
  sumElsewhere(wish: SumWish<FileBody>): Promise<Sums> | undefined
  /** Counts what a caller sums by itself until `end`: much of it at once calls for the thread, too. */
  count(wish: SumWish<FileBody>, end: Promise<unknown>): void
}

/** So many bytes at once are worth a thread: summing them takes longer than it takes to start. */
const WORTH_A_THREAD = 96 * MIB
/** A byte of MD5 takes as long here as so many of CRC-32. */
const MD5_WEIGHT = 4

/**
 * What the thread is given at once. CRC-32 goes one by one, so a second only saves the wait for a message. MD5 goes in
 * lanes: all of them where the sending goes on meanwhile, and half where it waits for the sum, so that the halves take
 * turns at it.
 */
const AT_ONCE = {crc32: 2, md5: 4, beside: 8}

interface Job extends SumWish<FileBody> {
  readonly kind: keyof typeof AT_ONCE
  resolve(sums: Sums): void
  reject(reason: unknown): void
}

export function createHashQueue(sumHere: SumHere, cores = availableParallelism()): HashQueue {
  const waiting = new Set<Job>()
  const thread = createHashThread(give)
  const running = {crc32: 0, md5: 0, beside: 0}
  let isBusyHere = false
  /** What waits and runs, and what callers sum by themselves. */
  let work = 0

  function count({body, withMd5}: SumWish, end: Promise<unknown>): void {
    const weight = body.size * (withMd5 ? MD5_WEIGHT : 1)
    const uncount = (): void => void (work -= weight)
    work += weight
    if (cores > 1 && work >= WORTH_A_THREAD) thread.start()
    end.then(uncount, uncount)
  }

  /** Gives what waits to whoever is free. */
  function give(): void {
    for (const job of waiting) {
      if (thread.state === 'there') {
        if (running[job.kind] >= AT_ONCE[job.kind]) continue
        void runElsewhere(job)
      } else {
        // Nobody waits yet for what is summed beside the sending.
        if (isBusyHere || (thread.state === 'starting' && job.kind === 'beside')) continue
        void runHere(job)
      }
      waiting.delete(job)
    }
  }

  async function runHere(job: Job): Promise<void> {
    isBusyHere = true
    await sumHere(job).then(job.resolve, job.reject)
    isBusyHere = false
    give()
  }

  async function runElsewhere(job: Job): Promise<void> {
    const {body, withMd5, kind} = job
    running[kind]++
    const {crc, md5} = (await thread.sum({...body.file, size: body.size, withMd5})) ?? {}
    running[kind]--
    give()
    // Whatever went wrong there, this thread meets it too, and has the words for it.
    if (crc === undefined) await sumHere(job).then(job.resolve, job.reject)
    else job.resolve({crc, ...(md5 === undefined ? {} : {md5: Buffer.from(md5)})})
  }

  async function sum(kind: Job['kind'], wish: SumWish<FileBody>): Promise<Sums> {
    const {signal} = wish
    signal.throwIfAborted()
    let letGo = (): void => {}
    const summed = new Promise<Sums>((resolve, reject) => {
      const job: Job = {...wish, kind, resolve, reject}
      letGo = onAbort(signal, () => {
        waiting.delete(job)
        reject(signal.reason)
      })
      waiting.add(job)
    })
    count(wish, summed)
    give()
    return summed.finally(letGo)
  }

  return {
    sumInTurn: wish => sum(wish.withMd5 ? 'md5' : 'crc32', wish),
    sumElsewhere: wish => (thread.state === 'none' ? undefined : sum('beside', wish)),
    count,
  }
}
