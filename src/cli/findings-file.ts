import {randomBytes} from 'node:crypto'
import {renameSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {makeFolders} from '../state/make-folders.ts'
import {readPrivateSync} from '../state/read-private.ts'
import {memoryFindings} from '../stores/findings.ts'
import type {Finding, Findings} from '../stores/findings.ts'

/** Keeps findings in the state folder. A file that cannot be read or written costs a probe, nothing else. */
export function fileFindings(folder: string): Findings {
  const file = join(folder, 'endpoints.json')
  const memory = memoryFindings()
  let isRead = false

  function readAll(): Record<string, Finding> {
    try {
      const found: unknown = JSON.parse(readPrivateSync(file) ?? '{}')
      if (typeof found !== 'object' || found === null) return {}
      return Object.fromEntries(Object.entries(found).map(([name, each]) => [name, readFinding(each)]))
    } catch {
      return {}
    }
  }

  return {
    get(endpoint) {
      if (!isRead) for (const [name, finding] of Object.entries(readAll())) memory.learn(name, finding)
      isRead = true
      return memory.get(endpoint)
    },
    learn(endpoint, finding) {
      memory.learn(endpoint, finding)
      try {
        makeFolders(folder)
        const all = {...readAll(), [endpoint]: memory.get(endpoint)}
        replace(file, JSON.stringify(all, null, 2))
      } catch {
        // A read-only state folder: learned again next time.
      }
    },
  }
}

/** Under a name that nobody can have put a link under. */
function replace(file: string, text: string): void {
  const fresh = `${file}.${randomBytes(6).toString('hex')}.new`
  try {
    writeFileSync(fresh, text, {mode: 0o600, flag: 'wx'})
    renameSync(fresh, file)
  } catch (error) {
    rmSync(fresh, {force: true})
    throw error
  }
}

/** What is not understood counts as not known. */
function readFinding(value: unknown): Finding {
  if (typeof value !== 'object' || value === null) return {}
  const {checksum, conditionalPut, conditionalComplete} = value as Readonly<Record<string, unknown>>
  return {
    ...(checksum === 'crc32' || checksum === 'md5' ? {checksum} : {}),
    ...(typeof conditionalPut === 'boolean' ? {conditionalPut} : {}),
    ...(typeof conditionalComplete === 'boolean' ? {conditionalComplete} : {}),
  }
}
