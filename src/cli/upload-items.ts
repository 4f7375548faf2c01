import {basename} from 'node:path'
import {Failure} from '../core/failure.ts'
import {formatTarget, isDestination, isFolderTarget, parseDestination} from '../core/target.ts'
import type {Destination, Target} from '../core/target.ts'
import type {ObjectOptions} from '../stores/store.ts'
import {checkFile} from '../upload/source.ts'
import type {UploadItem} from '../upload/transfer.ts'

/** Splits `FILE... TARGET`. Fails `usage`, in words for the usual slips. */
export function splitArguments(words: readonly string[]): {
  readonly files: readonly string[]
  readonly destination: Destination
} {
  const last = words.at(-1)
  const files = words.slice(0, -1)
  if (last === undefined) {
    throw new Failure('usage', 'What should be uploaded, and where to?', {
      suggestion: 'Write: skylift upload FILE... TARGET, for example: skylift upload build.tar s3://artifacts/nightly/',
    })
  }
  if (!isDestination(last)) {
    const given = words.find(isDestination)
    throw new Failure('usage', `The last word must be a target, and "${last}" is none.`, {
      suggestion:
        given === undefined
          ? 'A target is written REMOTE://container/key, for example s3://artifacts/build.tar.'
          : `Put "${given}" at the end: files first, then where they go.`,
    })
  }
  const wrong = files.find(isDestination)
  if (wrong !== undefined) {
    throw new Failure('usage', `"${wrong}" is a target, and only the last word may be one.`, {
      suggestion: 'Skylift uploads files of this machine; it does not copy between stores.',
    })
  }
  if (files.length === 0) throw new Failure('usage', `Which file should go to "${last}"?`)
  const destination = parseDestination(last)
  if (destination.kind === 'target' && destination.container === '') {
    throw new Failure('usage', `"${last}" names no container.`)
  }
  return {files, destination}
}

/** Gives every file its key. Looks at all of them first, so that a missing one costs nothing. */
export async function planItems(
  files: readonly string[],
  target: Target,
  optionsFor: (path: string) => Promise<ObjectOptions>,
): Promise<{readonly items: UploadItem[]; readonly size: number}> {
  if (files.length > 1 && !isFolderTarget(target)) {
    throw new Failure('usage', `Several files cannot all become "${formatTarget(target)}".`, {
      suggestion: `End the target with a slash: ${formatTarget(target)}/`,
    })
  }
  const keys = new Map<string, string>()
  const items: UploadItem[] = []
  let size = 0
  for (const path of files) {
    const key = isFolderTarget(target) ? target.key + basename(path) : target.key
    const twin = keys.get(key)
    if (twin !== undefined) throw new Failure('usage', `"${twin}" and "${path}" would both become "${key}".`)
    keys.set(key, path)
    checkKey(key)
    size += await checkFile(path)
    items.push({path, target: {...target, key}, options: await optionsFor(path)})
  }
  return {items, size}
}

function checkKey(key: string): void {
  const size = Buffer.byteLength(key)
  if (size > 1024) throw new Failure('usage', `A key of ${size} bytes is too long: 1,024 bytes of UTF-8 are allowed.`)
}
