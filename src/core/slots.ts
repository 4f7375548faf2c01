/** More requests at once make nothing quicker; each takes memory. */
export const MOST_CONCURRENCY = 256

/** Places for so many at once; who comes when all are taken waits for one, in the order in which they came. */
export interface Slots {
  readonly most: number
  readonly taken: number
  /** Without a promise where one is free. */
  take(): void | Promise<void>
  give(): void
  /** More of them go to those who wait; of fewer, the next that are given go to nobody. */
  resize(most: number): void
}

export function createSlots(size: number): Slots {
  const waiting: (() => void)[] = []
  let most = size
  let taken = 0

  function handOut(): void {
    while (taken < most && waiting.length > 0) {
      taken++
      waiting.shift()?.()
    }
  }

  return {
    get most() {
      return most
    },
    get taken() {
      return taken
    },
    take() {
      if (taken >= most) return new Promise(resolve => waiting.push(resolve))
      taken++
      return undefined
    },
    give() {
      taken--
      handOut()
    },
    resize(size) {
      most = size
      handOut()
    },
  }
}
