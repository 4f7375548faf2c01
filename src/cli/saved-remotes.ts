import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import type {Config} from '@oclif/core'
import {Failure, isFailure} from '../core/failure.ts'
import {takeLock} from '../state/lock.ts'
import type {Lock} from '../state/lock.ts'
import {makeFolders} from '../state/make-folders.ts'
import type {ListedRemote} from './remote-words.ts'
import {readSavedRemote} from './saved-remote.ts'

/** Everything that stands in the file, by name; not looked at yet. */
export type SavedEntries = Readonly<Record<string, unknown>>

/** So long somebody else's change is waited for. */
const LOCK_WAIT = 5000

export function remotesFile(config: Config): string {
  return join(config.configDir, 'remotes.json')
}

/** Reads the remotes that the person saved; none where there is no file. Fails `config` for a file that is damaged. */
export async function readSavedRemotes(config: Config): Promise<SavedEntries> {
  // Without a file there is nothing to load for.
  if (!existsSync(remotesFile(config))) return {}
  return (await openFile(config)).read()
}

/** Every saved remote in the order of names; one that cannot be understood keeps none of the others back. */
export async function listRemotes(config: Config): Promise<readonly ListedRemote[]> {
  const entries = Object.entries(await readSavedRemotes(config)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([name, found]) => {
    try {
      return {name, saved: readSavedRemote(name, found)}
    } catch (error) {
      return {name, problem: (error as Error).message}
    }
  })
}

/** Writes what `change` makes of the remotes; two processes do it one after the other. Fails `config`, `busy`. */
export async function changeSavedRemotes(
  config: Config,
  change: (entries: SavedEntries) => SavedEntries,
): Promise<void> {
  const path = remotesFile(config)
  const lock = await lockFile(config, path)
  try {
    const file = await openFile(config)
    file.write(change(file.read()))
  } finally {
    await lock.release()
  }
}

async function lockFile(config: Config, path: string): Promise<Lock> {
  const end = performance.now() + LOCK_WAIT
  for (;;) {
    try {
      makeFolders(config.configDir)
      return await takeLock(`${path}.lock`, () => new Failure('busy', 'Somebody else changes the saved remotes.'))
    } catch (error) {
      if (!isFailure(error)) throw cannotWrite(path, error)
      if (error.code !== 'busy' || performance.now() > end) throw error
    }
    await sleep(50)
  }
}

interface EntriesFile {
  read(): SavedEntries
  write(entries: SavedEntries): void
}

async function openFile(config: Config): Promise<EntriesFile> {
  const {default: Conf} = await import('conf')
  const path = remotesFile(config)
  try {
    const file = new Conf<Record<string, unknown>>({
      cwd: config.configDir,
      configName: 'remotes',
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
    })
    return {
      read: () => ({...file.store}),
      write(entries) {
        try {
          file.store = {...entries}
        } catch (error) {
          throw cannotWrite(path, error)
        }
      },
    }
  } catch (error) {
    throw cannotRead(path, error)
  }
}

function cannotRead(path: string, error: unknown): Failure {
  if (!(error instanceof SyntaxError)) {
    return new Failure('config', `${path} cannot be read (${codeOf(error)}).`, {cause: error})
  }
  // Without the parser's words: they show a piece of the file, and secrets stand in it.
  return new Failure('config', `${path} is damaged: it is not JSON.`, {
    suggestion: 'Repair it, or move it away and save the remotes anew. It was left as it is.',
  })
}

function cannotWrite(path: string, error: unknown): Failure {
  return new Failure('config', `${path} cannot be written (${codeOf(error)}).`, {
    cause: error,
    suggestion: 'The folder must be yours and writable; XDG_CONFIG_HOME names another one.',
  })
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message
}
