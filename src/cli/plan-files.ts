import {asFailure} from '../core/failure.ts'
import type {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {formatTarget} from '../core/target.ts'
import type {Json} from '../stores/store.ts'
import {planParts} from '../upload/plan.ts'
import {isRefused, isSkipped} from '../upload/source-items.ts'
import {checkFile} from '../upload/source.ts'
import type {PreparedFiles} from './prepare-files.ts'
import {describePlan} from './upload-words.ts'

/** What would be done with a file. */
export type PlannedFile =
  {readonly words: string; readonly json: {readonly [name: string]: Json}} | {readonly failure: Failure}

/** Plans every file, and sends nothing. */
export async function* planFiles(prepared: PreparedFiles, partSize: number | undefined): AsyncGenerator<PlannedFile> {
  const call = {signal: new AbortController().signal}
  const limits = await prepared.store.limits(call)
  for await (const item of prepared.items(call)) {
    if (isRefused(item)) {
      yield {failure: item.failure}
      continue
    }
    const {path} = item
    const target = formatTarget(item.target)
    if (isSkipped(item)) {
      const {size, reason} = item.skipped
      const words = `${printable(path)} -> ${printable(target)}  there already`
      yield {words, json: {source: path, target, size, skipped: reason}}
      continue
    }
    try {
      const plan = planParts(await checkFile(path), limits, partSize === undefined ? {} : {partSize})
      yield {words: describePlan(path, target, plan), json: {source: path, target, ...plan}}
    } catch (error) {
      yield {failure: asFailure(error)}
    }
  }
}
