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

interface ProcessState {
  /** Empty where the system does not say. */
  readonly started: string
  /** It has ended, and nobody has asked how: it keeps its number for as long as that lasts. */
  readonly isZombie: boolean
}

async function readState(pid: number): Promise<ProcessState> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    // The name, in parentheses, may hold spaces and parentheses; the start time is the 20th field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return {started: `${boot.trim()}/${fields[19] ?? ''}`, isZombie: fields[0] === 'Z'}
  } catch {
    try {
      const {stdout} = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)])
      const [state = '', ...start] = stdout.trim().split(/\s+/u)
      return {started: start.join(' '), isZombie: state.startsWith('Z')}
    } catch {
      return {started: '', isZombie: false}
    }
  }
}

export async function identifyThisProcess(): Promise<ProcessIdentity> {
  const pidNamespace = await readlink('/proc/self/ns/pid').catch(() => '')
  const {started} = await readState(process.pid)
  return {pid: process.pid, started, host: hostname(), pidNamespace}
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
  const {started, isZombie} = await readState(holder.pid)
  return !isZombie && (holder.started === '' || started === holder.started)
}
