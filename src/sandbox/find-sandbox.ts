import {join} from 'node:path'
import {readIdentity} from './identity.ts'
import {readPort} from './listen.ts'
import {readHolder} from '../state/lock.ts'
import {isRunning} from '../state/process-identity.ts'

/** A sandbox that runs, maybe in another process. */
export interface RunningSandbox {
  readonly endpoint: string
  readonly port: number
  readonly pid: number
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** Finds the sandbox that serves a data folder; undefined when none runs. One that is just starting may not answer yet. */
export async function findSandbox(folder: string): Promise<RunningSandbox | undefined> {
  const holder = await readHolder(join(folder, 'lock'))
  if (holder === undefined || (await isRunning(holder)) === false) return undefined
  const [identity, port] = [await readIdentity(folder), await readPort(folder)]
  if (identity === undefined || port === undefined) return undefined
  return {...identity, port, pid: holder.pid, endpoint: `http://127.0.0.1:${port}`}
}
