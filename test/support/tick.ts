import {rm, stat, writeFile} from 'node:fs/promises'

/** Waits until the clock of the file system is past the last change of a file: what comes next shows in its times. */
export async function pastTick(path: string): Promise<void> {
  const {ctimeNs} = await stat(path, {bigint: true})
  const probe = `${path}.tick`
  try {
    do await writeFile(probe, '')
    while ((await stat(probe, {bigint: true})).ctimeNs <= ctimeNs)
  } finally {
    await rm(probe, {force: true})
  }
}
