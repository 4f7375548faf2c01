import type {ClientRequest, IncomingMessage} from 'node:http'
import type {Socket} from 'node:net'
import {Failure} from '../core/failure.ts'
import {formatDuration} from '../core/durations.ts'
import {readSendQueue} from './send-queue.ts'
import type {Waits} from './waits.ts'

/** Watches one request: fails it when a wait runs out, and tells when its answer begins. */
export interface Watch {
  /** Resolves when the answer's headers are there, fails with whatever ended the request before. */
  response(): Promise<IncomingMessage>
  /** True once there is an answer or an end: nothing more needs to be sent. */
  isOver(): boolean
  /** Calls back when `isOver` becomes true; one at a time is remembered. */
  onOver(run: () => void): void
  /** While held, silence on the socket is our own doing: the pace, or a slow disk. */
  hold(): void
  release(): void
  /** The body has left: the answer must begin within so long. */
  expectAnswer(ms: number): void
  /** Bytes of the answer came: the next must come within so long. */
  touch(ms: number): void
  /** Whoever takes the bytes is busy with them: no wait runs until the next `touch`. */
  rest(): void
  /** What the watch itself ended the request with; the request's own error would only say that it was cut. */
  failure(): Failure | undefined
  stop(): void
}

export function createWatch(outgoing: ClientRequest, waits: Waits, host: string): Watch {
  let over = false
  let held = false
  let isConnected = false
  let answer: number | undefined
  let failure: Failure | undefined
  let queued: number | undefined
  let timer: NodeJS.Timeout | undefined
  let socket: Socket | undefined
  let end = (): void => {}
  const finish = (): void => {
    over = true
    end()
  }

  function fail(message: string): void {
    failure = new Failure('network', message, {retryable: true})
    outgoing.destroy(failure)
  }
  function arm(ms: number, sentence: () => string): void {
    clearTimeout(timer)
    timer = setTimeout(() => fail(sentence()), ms)
  }
  /** True while the kernel gets rid of what it was given; the first look can only take note. */
  async function isDraining(): Promise<boolean> {
    const before = queued
    queued = socket === undefined ? undefined : await readSendQueue(socket)
    return queued !== undefined && queued > 0 && queued !== before
  }
  // The socket's own idle timer looks at what the kernel took, so a write that takes minutes on a slow link is no stall.
  async function onIdle(): Promise<void> {
    if (held || over) socket?.setTimeout(waits.stall)
    else {
      const isFirstLook = queued === undefined
      if (await isDraining()) socket?.setTimeout(isFirstLook ? waits.stall / 2 : waits.stall)
      else if (!over && !held) fail(`${host} took no data for ${formatDuration(waits.stall)}.`)
      else socket?.setTimeout(waits.stall)
    }
  }
  const idle = (): void => void onIdle()
  function connected(): void {
    clearTimeout(timer)
    isConnected = true
    if (over) return
    socket?.on('timeout', idle)
    if (answer === undefined) socket?.setTimeout(waits.stall)
    else awaitAnswer(answer)
  }
  function awaitAnswer(ms: number): void {
    socket?.setTimeout(0)
    if (over) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      void isDraining().then(isMoving => {
        if (over) return
        // What the kernel swallowed at once can take long to leave: no answer can come before that.
        if (isMoving) awaitAnswer(ms)
        else fail(`${host} did not answer within ${formatDuration(ms)}.`)
      })
    }, ms)
  }

  arm(waits.connect, () => `${host} did not take the connection within ${formatDuration(waits.connect)}.`)
  outgoing.on('socket', given => {
    socket = given
    if (given.connecting) given.once('encrypted' in given ? 'secureConnect' : 'connect', connected)
    else connected()
  })

  const response = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', incoming => {
      finish()
      resolve(incoming)
    })
    outgoing.on('error', error => {
      finish()
      reject(error)
    })
    outgoing.once('close', () => {
      // Every request closes; an error takes longer to make than all else here.
      if (over) return
      finish()
      reject(Object.assign(new Error('socket hang up'), {code: 'ECONNRESET'}))
    })
  })

  return {
    response: () => response,
    isOver: () => over,
    onOver: run => void (end = run),
    hold: () => void (held = true),
    release: () => void (held = false),
    expectAnswer(ms) {
      answer = ms
      // A request without a body comes here before it is connected: that wait runs first.
      if (isConnected) awaitAnswer(ms)
    },
    touch(ms) {
      arm(ms, () => `${host} stopped in the middle of its answer for ${formatDuration(ms)}.`)
    },
    rest: () => clearTimeout(timer),
    failure: () => failure,
    stop() {
      clearTimeout(timer)
      socket?.setTimeout(0)
      socket?.off('timeout', idle)
      socket?.off('connect', connected)
      socket?.off('secureConnect', connected)
    },
  }
}
