import {execFile} from 'node:child_process'
import {readFile} from 'node:fs/promises'
import {promisify} from 'node:util'

/** A process, told apart from a later one that was given its number. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started: with the boot it belongs to. Empty where the system does not say. */
  readonly started: string
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
  return {pid: process.pid, started: await readStart(process.pid)}
}

/** True while that very process runs. */
export async function isRunning({pid, started}: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, under somebody else's name.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return started === '' || (await readStart(pid)) === started
}
