import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after} from 'mocha'

const folders = new Set<string>()

/** A new empty folder that is removed when the tests are over, or earlier by `removeTempFolders`. */
export async function makeTempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skylift-test-'))
  folders.add(folder)
  return folder
}

export async function removeTempFolders(): Promise<void> {
  const all = [...folders]
  folders.clear()
  await Promise.all(all.map(folder => rm(folder, {recursive: true, force: true, maxRetries: 3})))
}

// Outside mocha (a bench, a script) whoever made the folders removes them.
if ('describe' in globalThis) after(removeTempFolders)
