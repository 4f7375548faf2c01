import type {ObjectRecord} from './records.ts'
import {compareKeys, findFirst} from './sorted-keys.ts'

/** The objects of one bucket by key, and their keys in order. */
export class ObjectIndex {
  readonly #records = new Map<string, ObjectRecord>()
  readonly #keys: string[] = []
  #unsorted = false

  get size(): number {
    return this.#records.size
  }

  get keys(): readonly string[] {
    if (this.#unsorted) this.#keys.sort(compareKeys)
    this.#unsorted = false
    return this.#keys
  }

  get(key: string): ObjectRecord | undefined {
    return this.#records.get(key)
  }

  /** Adds without keeping the order, for the start. */
  load(record: ObjectRecord): void {
    this.#records.set(record.key, record)
    this.#keys.push(record.key)
    this.#unsorted = true
  }

  /** Returns the record that stood there before. */
  put(record: ObjectRecord): ObjectRecord | undefined {
    const before = this.#records.get(record.key)
    this.#records.set(record.key, record)
    if (before === undefined) this.#keys.splice(this.#place(record.key), 0, record.key)
    return before
  }

  remove(key: string): void {
    if (this.#records.delete(key)) this.#keys.splice(this.#place(key), 1)
  }

  #place(key: string): number {
    return findFirst(this.keys, each => compareKeys(each, key) >= 0)
  }
}
