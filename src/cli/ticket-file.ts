import {lstat, open, readFile, rename, rm} from 'node:fs/promises'
import type {FileHandle} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {isDestination} from '../core/target.ts'
import {parseTicket} from '../stores/ticket/ticket.ts'
import type {Ticket} from '../stores/ticket/ticket.ts'

export {formatTicket} from '../stores/ticket/ticket.ts'

/** A ticket for ten thousand parts has less than a tenth of it. */
const MOST = 16 * 1024 * 1024

/**
 * Reads a ticket from a file, from stdin for `-`, or for an empty name from SKYLIFT_TICKET, which holds the ticket itself
 * or the name of its file. Fails `config` for what is none, `usage` where there is none.
 */
export async function readTicket(name: string, env: NodeJS.ProcessEnv = process.env): Promise<Ticket> {
  const text = await readTicketText(name, env)
  if (!isPage(text)) return parseTicket(text)
  throw new Failure('config', 'This is an upload page, and one ticket is wanted.', {
    suggestion:
      'Open it in a browser to upload. Its owner may finish or revoke what it began: skylift ticket revoke FILE',
  })
}

/** Reads one ticket, or all that an upload page holds: what its visitors have sent is finished or revoked like any other. */
export async function readTickets(name: string, env: NodeJS.ProcessEnv = process.env): Promise<readonly Ticket[]> {
  const text = await readTicketText(name, env)
  if (!isPage(text)) return [parseTicket(text)]
  const [, json = ''] = /<script type="application\/json" id="page-data">(.*?)<\/script>/su.exec(text) ?? []
  const tickets = readPageTickets(json)
  if (tickets.length > 0) return tickets.map(each => parseTicket(JSON.stringify(each)))
  throw new Failure('config', 'This page holds no ticket.', {
    suggestion: 'Name the file that "skylift page create" wrote.',
  })
}

function isPage(text: string): boolean {
  return text.trimStart().toLowerCase().startsWith('<!doctype html>')
}

function readPageTickets(json: string): readonly unknown[] {
  try {
    const {tickets} = JSON.parse(json) as {tickets?: unknown}
    return Array.isArray(tickets) ? tickets : []
  } catch {
    return []
  }
}

async function readTicketText(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const wished = name === '' ? (env['SKYLIFT_TICKET'] ?? '').trim() : name
  if (wished === '') {
    throw new Failure('usage', 'A ticket needs a file name, as in ticket:disk.json.', {
      suggestion: 'Or put the ticket, or the name of its file, into SKYLIFT_TICKET.',
    })
  }
  if (name === '' && wished.startsWith('{')) return wished
  return wished === '-' ? readStdin() : readTicketFile(wished)
}

/** Without a destination among the words it is the ticket of SKYLIFT_TICKET, where there is one. */
export function addTicket(words: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
  const isMeant = Boolean(env['SKYLIFT_TICKET']) && words.length > 0 && !words.some(isDestination)
  return isMeant ? [...words, 'ticket:'] : [...words]
}

async function readTicketFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is none' : code === 'EACCES' ? 'you may not read it' : 'it is not a file'
    throw new Failure(
      code === 'ENOENT' ? 'usage' : 'config',
      `The ticket "${printable(path)}" cannot be read: ${why}.`,
      {
        cause: error,
        suggestion: 'Name the file that "skylift ticket create" wrote.',
      },
    )
  }
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new Failure('usage', 'The ticket should come from stdin, and nothing is piped into it.')
  }
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    pieces.push(piece)
    if ((size += piece.length) > MOST)
      throw new Failure('config', 'What comes from stdin is no ticket: it is too long.')
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** A place for a ticket that was found to be writable; nothing is there under its name before `write`. */
export interface TicketFile {
  /** Puts the whole text there at once, readable for its owner only. */
  write(text: string): Promise<void>
  /** May be called after `write`, too. */
  discard(): Promise<void>
}

/** Looks at a place before anything is begun whose only trace would be the file. Fails `exists`, `usage`, `config`. */
export async function prepareTicketFile(path: string, mayReplace: boolean): Promise<TicketFile> {
  const name = printable(path)
  const there = await lstat(path).catch(() => undefined)
  // A link would be replaced, not followed; a device, such as /dev/stdout, must not be.
  if (there !== undefined && !there.isFile() && !there.isSymbolicLink()) {
    throw new Failure('usage', `"${name}" is not a file.`, {
      suggestion: 'Leave -o away: the ticket goes to stdout then.',
    })
  }
  if (there !== undefined && !mayReplace) {
    throw new Failure('exists', `There is already a file "${name}".`, {
      suggestion: 'If it is a ticket, it is the only one of its upload. Choose another name.',
    })
  }
  const fresh = `${path}.${process.pid}.new`
  let handle: FileHandle
  try {
    handle = await open(fresh, 'wx', 0o600)
  } catch (error) {
    throw new Failure('config', `The ticket "${name}" cannot be written.`, {
      cause: error,
      suggestion: 'Check that the folder is there, and that you may write in it.',
    })
  }
  return {
    async write(text) {
      try {
        // By its handle: under its name somebody may have put a link meanwhile.
        await handle.writeFile(text)
        await handle.datasync()
        await handle.close()
        await rename(fresh, path)
      } catch (error) {
        throw new Failure('config', `"${name}" could not be written.`, {
          cause: error,
          suggestion: 'Make room there, or choose another place.',
        })
      }
    },
    async discard() {
      await handle.close()
      await rm(fresh, {force: true})
    },
  }
}
