/** How fast bytes move, averaged with weights that fade over about ten seconds. */
export interface Rate {
  readonly at: number
  readonly bytes: number
  /** Absent while too little was seen to tell. */
  readonly bytesPerSecond?: number
  readonly fadingBytes: number
  readonly fadingTime: number
}

const FADE = 5000
const SHORTEST = 400

export function emptyRate(at: number): Rate {
  return {at, bytes: 0, fadingBytes: 0, fadingTime: 0}
}

/** `bytes` is absolute; a fall (a retry) counts as nothing moved, and so does a clock that was set back. */
export function measureRate(known: Rate, at: number, bytes: number): Rate {
  const elapsed = Math.max(0, at - known.at)
  const fade = Math.exp(-elapsed / FADE)
  // Bytes and time fade alike: their quotient is right from the first second, not only once the window is full.
  const fadingBytes = known.fadingBytes * fade + Math.max(0, bytes - known.bytes)
  const fadingTime = known.fadingTime * fade + elapsed
  const rate = {at, bytes, fadingBytes, fadingTime}
  return fadingTime < SHORTEST ? rate : {...rate, bytesPerSecond: (fadingBytes / fadingTime) * 1000}
}

/** Returns the milliseconds that `left` bytes will take, or undefined while nobody can tell. */
export function etaOf(rate: Rate, left: number): number | undefined {
  if (left <= 0) return 0
  if (rate.bytesPerSecond === undefined || rate.bytesPerSecond < 1) return undefined
  return (left / rate.bytesPerSecond) * 1000
}
