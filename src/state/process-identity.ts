import {execFile} from 'node:child_process'
import {readFile, readlink} from 'node:fs/promises'
import {hostname} from 'node:os'
import {promisify} from 'node:util'

/** A process, told apart from a later one that was given its number, and from one of another machine or container. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started: with the boot it belongs to. Empty where the system does not say. */
  readonly started: string
  readonly host: string
  /** Numbers of processes mean something only within it. Empty where there is none. */
  readonly pidNamespace: string
}

async function readStart(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    // The name, in parentheses, may hold spaces and parentheses; the start time is the 20th field after it.
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    return `${boot.trim()}/${started}`
  } catch {
    try {
      const {stdout} = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)])
      return stdout.trim()
    } catch {
      return ''
    }
  }
}

export async function identifyThisProcess(): Promise<ProcessIdentity> {
  const pidNamespace = await readlink('/proc/self/ns/pid').catch(() => '')
  return {pid: process.pid, started: await readStart(process.pid), host: hostname(), pidNamespace}
}

/** True while that very process runs, false when it has ended; undefined where this machine cannot tell. */
export async function isRunning(holder: ProcessIdentity): Promise<boolean | undefined> {
  const here = await identifyThisProcess()
  if (holder.host !== here.host || holder.pidNamespace !== here.pidNamespace) return undefined
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // EPERM: it runs, under somebody else's name.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return holder.started === '' || (await readStart(holder.pid)) === holder.started
}
