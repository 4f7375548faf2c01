/** Eight MD5 sums at once. All lanes stand at one position of their data. */
export interface Lanes {
  /** What each lane is to take in; a message that begins while others are under way begins where they stand. */
  readonly data: readonly Buffer[]
  begin(lane: number): void
  /** Takes in the bytes of the first lanes from one position to another, both multiples of 64. */
  take(from: number, to: number, lanes: number): void
  digest(lane: number): Buffer
}

export const LANES: number
/** So many bytes a lane takes before all begin at 0 again. */
export const LANE_SIZE: number

/** Throws where there is no WebAssembly with vectors. */
export function createLanes(): Lanes
/** Ends a message of `size` bytes whose data ends at `end` in its lane, and returns where its last block ends. */
export function padMessage(data: Buffer, end: number, size: number): number
