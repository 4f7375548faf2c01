import {asFailure, Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {formatTarget, isDestination, isFolderTarget, nameDestination, parseDestination} from '../core/target.ts'
import type {Destination, Target} from '../core/target.ts'
import type {ObjectOptions} from '../stores/store.ts'
import type {SourceItem} from '../upload/source-items.ts'
import type {UploadItem} from '../upload/transfer.ts'
import type {Found} from '../upload/walk.ts'
import type {FoundDestination} from './open-destination.ts'

/**
 * Splits `FILE... TARGET`; a list or results may stand for the files, and a flag for the target. Fails `usage`, in words for
 * the usual slips.
 */
export function splitArguments(
  words: readonly string[],
  mayLackFiles = false,
  where?: Destination,
): {
  readonly files: readonly string[]
  readonly destination: Destination
} {
  if (where !== undefined) return {files: checkFiles(words, mayLackFiles), destination: where}
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
          : `Put "${nameDestination(given)}" at the end: files first, then where they go.`,
    })
  }
  const wrong = files.find(isDestination)
  if (wrong !== undefined) {
    throw new Failure('usage', `"${nameDestination(wrong)}" is a target, and only the last word may be one.`, {
      suggestion: 'Skylift uploads files of this machine; it does not copy between stores.',
    })
  }
  if (files.length === 0 && !mayLackFiles)
    throw new Failure('usage', `Which file should go to "${nameDestination(last)}"?`)
  const destination = parseDestination(last)
  if (destination.kind === 'target' && destination.container === '') {
    throw new Failure('usage', `"${last}" names no container.`)
  }
  return {files, destination}
}

/** Where a flag says where files go, no word does. */
function checkFiles(words: readonly string[], mayLackFiles: boolean): readonly string[] {
  const wrong = words.find(isDestination)
  if (wrong !== undefined) {
    throw new Failure('usage', `--url-file or --post says where it goes, and so does "${nameDestination(wrong)}".`)
  }
  if (words.length === 0 && !mayLackFiles) throw new Failure('usage', 'Which file should be uploaded?')
  return words
}

export interface ItemNeeds {
  readonly target: Target
  optionsFor(path: string): ObjectOptions | Promise<ObjectOptions>
}

/** Gives each of some files its key. Fails `usage` where a key is too long, or would be that of two. */
export async function makeItems(files: readonly Found[], {target, optionsFor}: ItemNeeds): Promise<UploadItem[]> {
  const keys = new Map<string, string>()
  const items: UploadItem[] = []
  for (const {path, name} of files) {
    const key = isFolderTarget(target) ? target.key + name : target.key
    const twin = keys.get(key)
    if (twin !== undefined) throw new Failure('usage', `"${twin}" and "${path}" would both become "${key}".`)
    keys.set(key, path)
    checkKey({...target, key})
    items.push({path, target: {...target, key}, options: await optionsFor(path)})
  }
  return items
}

/** Gives every file that is found its key, in flat memory. What cannot have one comes as a failure of its own. */
export async function* streamItems(found: AsyncIterable<Found>, needs: ItemNeeds): AsyncGenerator<SourceItem> {
  for await (const {path, name, failure, isNameless} of found) {
    if (failure !== undefined && isNameless === true) {
      yield {path, failure}
      continue
    }
    const target = {...needs.target, key: needs.target.key + name}
    try {
      if (failure !== undefined) throw failure
      checkKey(target)
      const options = needs.optionsFor(path)
      yield {path, target, options: options instanceof Promise ? await options : options}
    } catch (error) {
      yield {path, target, failure: asFailure(error)}
    }
  }
}

/** Fails `usage` where several files, or a folder, would have to become one object. */
export function checkFolderTarget({target, forSeveral}: Omit<FoundDestination, 'open'>, what: string): void {
  if (isFolderTarget(target)) return
  throw new Failure('usage', `${what} cannot all become "${formatTarget(target)}".`, {
    suggestion: forSeveral ?? `End the target with a slash: ${formatTarget(target)}/`,
  })
}

/** S3 counts bytes and Swift characters; a saved remote may be either, and what is between the two its store refuses. */
const COUNT_BYTES = ['s3', 'sandbox']

export function checkKey({remote, key, takesName}: Target): void {
  // Only who signed a URL knows where in it the key begins.
  if (takesName !== undefined) return
  const isBytes = COUNT_BYTES.includes(remote)
  const size = isBytes ? Buffer.byteLength(key) : Array.from(key).length
  if (size <= 1024) return
  const shown = printable(`${key.slice(0, 40)}…${key.slice(-40)}`)
  throw new Failure(
    'usage',
    isBytes
      ? `The key "${shown}" of ${size} bytes is too long: 1,024 bytes of UTF-8 are allowed.`
      : `The key "${shown}" of ${size} characters is too long: 1,024 characters are allowed.`,
  )
}
