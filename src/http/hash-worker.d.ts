/** A range of a file that the main thread holds open. */
export interface HashTask {
  readonly fd: number
  readonly offset: number
  readonly size: number
  readonly withMd5: boolean
}

/** Without sums the thread could not do it. */
export interface HashResult {
  readonly crc?: number
  readonly md5?: Uint8Array | undefined
}

/** The URL of the thread's own file. */
export const HASH_WORKER: string
/** What it is started with. It says that it is there, then answers a task, which has an `id`, with a result with that `id`. */
export const HASH_ROLE: string
