import type {Socket} from 'node:net'

/** A line that carries so many bytes a second. */
export interface Link {
  readonly rate: number
  /** Puts the next bytes on the line; returns the time at which the last of them is through. */
  reserve(size: number): number
}

/** How late a timer may be without the line losing that time. */
const lateness = 50

export function createLink(rate: number): Link {
  let free = 0
  return {
    rate,
    reserve(size) {
      const now = performance.now()
      if (free < now - lateness) free = now
      free += (size / rate) * 1000
      return free
    },
  }
}

/** What happens to bytes on their way. */
export interface Counters {
  readonly read: (size: number) => void
  readonly delivered: (size: number) => void
  readonly dropped: (size: number) => void
}

export interface Way {
  readonly links: readonly Link[]
  readonly delay: number
}

const spare = 256 * 1024
/** What a line without a rate holds on its way: the window of a well-fed TCP connection. */
const openWindow = 4 * 1024 * 1024

/**
 * Carries one direction of a connection to its end: a piece is read once the line has taken the one before, and is
 * delivered `delay` later, in order. What the receiver does not take stops the reading, so the sender feels it.
 */
export function carry(from: Socket, to: Socket, {links, delay}: Way, counters: Counters): void {
  const rate = Math.min(...links.map(link => link.rate))
  const largest = Math.max(1460, Math.min(65_536, Math.floor(rate / 100)))
  const room = spare + (rate === Infinity ? (delay > 0 ? openWindow : 0) : (rate * delay) / 1000)
  const travelling: {piece: Buffer | undefined; due: number}[] = []
  let delivery: NodeJS.Timeout | undefined
  let pause: NodeJS.Timeout | undefined
  let held = 0
  let full = false

  function readOn(): void {
    clearTimeout(pause)
    pause = undefined
    while (!from.destroyed && !to.destroyed) {
      full = held + to.writableLength > room
      if (full) return
      const piece = from.read(Math.min(from.readableLength, largest) || undefined) as Buffer | null
      if (piece === null) return
      held += piece.length
      counters.read(piece.length)
      const through = Math.max(...links.map(link => link.reserve(piece.length)))
      const now = performance.now()
      send(piece, Math.max(through, now) + delay)
      const ms = through - now
      if (ms >= 1) {
        pause = setTimeout(readOn, ms)
        return
      }
    }
  }

  function send(piece: Buffer | undefined, due: number): void {
    travelling.push({piece, due})
    if (delivery === undefined) deliver()
  }

  function deliver(): void {
    delivery = undefined
    for (let next = travelling[0]; next; next = travelling[0]) {
      const ms = next.due - performance.now()
      if (ms >= 0.5) {
        delivery = setTimeout(deliver, Math.ceil(ms))
        return
      }
      if (to.destroyed) return
      travelling.shift()
      if (!next.piece) to.end()
      else {
        held -= next.piece.length
        to.write(next.piece)
        counters.delivered(next.piece.length)
      }
    }
    if (full) readOn()
  }

  function stop(): void {
    clearTimeout(pause)
    clearTimeout(delivery)
    for (const {piece} of travelling.splice(0)) if (piece) counters.dropped(piece.length)
  }

  from.on('readable', () => pause ?? readOn())
  to.on('drain', () => full && readOn())
  from.on('end', () => send(undefined, performance.now() + delay))
  from.on('close', () => from.readableEnded || stop())
  to.on('close', stop)
}
