import {mkdirSync, statSync} from 'node:fs'
import {dirname} from 'node:path'

/**
 * Makes a folder for the person alone, and those above it that are missing; there already is success. Fails as `mkdir`
 * does. Node's own `recursive` tries for ever, deaf to signals, where nothing can be made and the answer is ENOENT: below
 * /proc.
 */
export function makeFolders(path: string): void {
  if (isFolder(path)) return
  try {
    makeOne(path)
  } catch (error) {
    const above = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error
    makeFolders(above)
    makeOne(path)
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, {mode: 0o700})
  } catch (error) {
    // Somebody was quicker.
    if (!isFolder(path)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() === true
}
