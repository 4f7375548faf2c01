/** What this browser knows of an upload that it began. */
export interface Memory {
  readonly name: string
  readonly size: number
  readonly modified: number
  readonly isDone: boolean
}

const PREFIX = 'skylift:'

/** Returns what was kept of an upload; undefined where nothing was, or where the browser keeps nothing. */
export function recall(id: string): Memory | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(PREFIX + id) ?? 'null')
    return isMemory(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Keeps no bytes and no URL: only which file it was. */
export function remember(id: string, {name, size, lastModified}: File, isDone: boolean): void {
  try {
    localStorage.setItem(PREFIX + id, JSON.stringify({name, size, modified: lastModified, isDone} satisfies Memory))
  } catch {
    // A private window, or a page from a file: going on after a reload then takes a look at the parts.
  }
}

/** Returns what the server of the page gave for this file. */
export function recallSession(file: File): string | undefined {
  try {
    return localStorage.getItem(sessionName(file)) ?? undefined
  } catch {
    return undefined
  }
}

/** Keeps what the server gave, or drops it. */
export function rememberSession(file: File, session: string | undefined): void {
  try {
    if (session === undefined) localStorage.removeItem(sessionName(file))
    else localStorage.setItem(sessionName(file), session)
  } catch {
    // A private window: the upload starts over after a reload.
  }
}

function sessionName({name, size, lastModified}: File): string {
  return `${PREFIX}${size}:${lastModified}:${name}`
}

export function isSameFile(memory: Memory, {name, size, lastModified}: File): boolean {
  return memory.name === name && memory.size === size && memory.modified === lastModified
}

function isMemory(value: unknown): value is Memory {
  if (typeof value !== 'object' || value === null) return false
  const {name, size, modified, isDone} = value as Record<string, unknown>
  return (
    typeof name === 'string' && typeof size === 'number' && typeof modified === 'number' && typeof isDone === 'boolean'
  )
}
