/** Bytes that can be read at any position, any number of times. No streams in the hot path. */
export interface Body {
  readonly size: number
  /** Fills `into` from `position` and returns how many bytes it got: fewer only at the end. Fails `source-changed`. */
  read(into: Buffer, position: number): Promise<number>
}
