/** Bytes that can be read at any position, any number of times. No streams in the hot path. */
export interface Body {
  readonly size: number
  /** The bytes themselves, where they are in memory anyway. */
  readonly bytes?: Buffer
  /** Where the bytes lie, if they lie in a file: another thread can read them there by itself. */
  readonly file?: FilePlace
  /**
   * Fills `into` from `position` and returns how many bytes it got: fewer only at the end. Without a promise where it
   * need not wait: each costs the hot path more than all else about a window. Fails `source-changed`.
   */
  read(into: Buffer, position: number): number | Promise<number>
}

/** A position of a file that stays open as long as the body is used. */
export interface FilePlace {
  readonly fd: number
  readonly offset: number
}
