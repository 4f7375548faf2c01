/**
 * Sums ranges of files on a thread of its own. Plain JavaScript, since no loader for TypeScript reaches a thread in
 * Node 20: it has to run as it stands, in tests too.
 *
 * File descriptors belong to the process, so what the main thread has opened is read here as it is: no bytes are handed
 * over.
 */
import {createHash} from 'node:crypto'
import {readSync} from 'node:fs'
import {parentPort, receiveMessageOnPort, workerData} from 'node:worker_threads'
import {crc32} from 'node:zlib'
import {createLanes, LANE_SIZE, LANES, padMessage} from './md5-lanes.js'

/** @import {HashTask} from './hash-worker.js' */

/** Where a thread finds this file, in a bundle too. */
export const HASH_WORKER = import.meta.url

/** What a thread is started with: the program that holds us may have threads of its own. */
export const HASH_ROLE = 'skylift hash'

/** Small enough to stay in the cache of the core between the reading and the summing. */
const WINDOW = 512 * 1024

/** Reads `size` bytes, or throws. */
function readWhole(fd, into, size, position) {
  for (let got = 0; got < size;) {
    const count = readSync(fd, into, got, size - got, position + got)
    if (count === 0) throw new Error('The file became shorter.')
    got += count
  }
}

/** Sums one range by itself: CRC-32, or an MD5 that is the only one. */
function sumAlone({fd, offset, size, withMd5}, window) {
  const md5 = withMd5 ? createHash('md5') : undefined
  let crc = 0
  for (let position = 0; position < size; position += window.length) {
    const bytes = window.subarray(0, Math.min(window.length, size - position))
    readWhole(fd, bytes, bytes.length, offset + position)
    crc = crc32(bytes, crc)
    md5?.update(bytes)
  }
  return {crc, md5: md5?.digest()}
}

/** Sums MD5s of several ranges at once, with all that `next` gives meanwhile, until none is left. */
function sumTogether(lanes, next, tell) {
  /** What each lane is at: `end` is where its data ends; only its last piece ends elsewhere than all others. */
  const running = new Map()
  let at = 0

  function end(lane, result) {
    const {task} = running.get(lane)
    running.delete(lane)
    tell(task, result)
  }
  function fill(lane) {
    const state = running.get(lane)
    const {fd, offset, size} = state.task
    const count = Math.min(LANE_SIZE - at, size - state.read)
    const bytes = lanes.data[lane].subarray(at, at + count)
    try {
      readWhole(fd, bytes, count, offset + state.read)
    } catch {
      end(lane)
      return
    }
    state.crc = crc32(bytes, state.crc)
    state.read += count
    state.isLast = at + count < LANE_SIZE
    state.end = state.isLast ? padMessage(lanes.data[lane], at + count, size) : LANE_SIZE
  }
  function turn() {
    at = 0
    for (const [lane, state] of running) {
      if (state.isLast) {
        lanes.data[lane].copyWithin(0, LANE_SIZE, state.end)
        state.end -= LANE_SIZE
      } else fill(lane)
    }
  }
  function fillFree() {
    for (let lane = 0; lane < LANES; lane++) {
      if (running.has(lane)) continue
      const task = next()
      if (task === undefined) return
      running.set(lane, {task, read: 0, crc: 0, isLast: false, end: at})
      lanes.begin(lane)
      fill(lane)
    }
  }

  for (;;) {
    fillFree()
    if (running.size === 0) return
    const to = Math.min(LANE_SIZE, ...[...running.values()].map(state => state.end))
    lanes.take(at, to, Math.max(...running.keys()) + 1)
    at = to
    for (const [lane, state] of running) {
      if (state.isLast && state.end === at) end(lane, {crc: state.crc, md5: lanes.digest(lane)})
    }
    if (at === LANE_SIZE) turn()
  }
}

function serve(port) {
  // One for all tasks: what the garbage collector has to find first adds up to many MiB.
  const window = Buffer.allocUnsafeSlow(WINDOW)
  const waiting = []
  let lanes

  const tell = ({id}, result) => port.postMessage({id, ...result})
  function sum(task) {
    try {
      tell(task, sumAlone(task, window))
    } catch {
      // Whoever asked reads again, and finds the right words for it.
      tell(task)
    }
  }
  /** Does what is short, and returns the next that takes long. */
  function next() {
    for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
      if (got.message.withMd5) waiting.push(got.message)
      else sum(got.message)
    }
    return waiting.shift()
  }
  function getLanes() {
    try {
      lanes ??= createLanes()
    } catch {
      // No vectors here.
    }
    return lanes
  }

  port.on('message', message => {
    if (message.withMd5) waiting.push(message)
    else sum(message)
    for (let task = next(); task !== undefined; task = next()) {
      // Alone, it is quicker by OpenSSL.
      if (waiting.length === 0 || getLanes() === undefined) sum(task)
      else {
        waiting.unshift(task)
        sumTogether(lanes, next, tell)
      }
    }
  })
  port.postMessage('ready')
}

if (workerData === HASH_ROLE) serve(parentPort)
