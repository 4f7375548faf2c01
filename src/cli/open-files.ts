import {readFileSync} from 'node:fs'

/** The program itself, what it keeps on disk, and what is read ahead. */
const RESERVED = 64

/** As many small objects at once as this process may have open, a file and a connection each; `wished` where nobody says. */
export function fitOpenFiles(wished: number, least: number): number {
  const limit = readLimit()
  return limit === undefined ? wished : Math.max(least, Math.min(wished, Math.floor((limit - RESERVED) / 2)))
}

/** Node has raised it by now as far as it may. Only Linux tells it to who reads a file. */
function readLimit(): number | undefined {
  try {
    const count = /^Max open files +(?<count>\d+)/mu.exec(readFileSync('/proc/self/limits', 'latin1'))?.groups?.[
      'count'
    ]
    return count === undefined ? undefined : Number(count)
  } catch {
    return undefined
  }
}
