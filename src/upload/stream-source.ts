/** Bytes that come once, from stdin or from a program. */
export interface StreamSource {
  /** `-` is stdin. */
  readonly name: string
  /**
   * Ends when the last byte has come and nothing was amiss with whoever wrote it; fails `source-changed` otherwise. No
   * byte counts before the end.
   */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Nothing more is wanted: ends whoever writes it, soon. May be called twice, and after the end. */
  stop(): Promise<void>
}

/** What people call it. */
export function nameOfSource({name}: Pick<StreamSource, 'name'>): string {
  return name === '-' ? 'stdin' : `"${name}"`
}
