import {mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {memoryFindings} from '../stores/findings.ts'
import type {Finding, Findings} from '../stores/findings.ts'

/** Keeps findings in the state folder. A file that cannot be read or written costs a probe, nothing else. */
export function fileFindings(folder: string): Findings {
  const file = join(folder, 'endpoints.json')
  const memory = memoryFindings()
  let isRead = false

  function readAll(): Record<string, Finding> {
    try {
      const found: unknown = JSON.parse(readFileSync(file, 'utf8'))
      return typeof found === 'object' && found !== null ? (found as Record<string, Finding>) : {}
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
        mkdirSync(folder, {recursive: true, mode: 0o700})
        const all = {...readAll(), [endpoint]: memory.get(endpoint)}
        const fresh = `${file}.${process.pid}`
        writeFileSync(fresh, JSON.stringify(all, null, 2), {mode: 0o600})
        renameSync(fresh, file)
      } catch {
        // A read-only state folder: learned again next time.
      }
    },
  }
}
