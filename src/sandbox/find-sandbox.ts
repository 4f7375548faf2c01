import {join} from 'node:path'
import {readIdentity} from './identity.ts'
import {readPort} from './listen.ts'
import {findHolder} from '../state/lock.ts'
import type {Holder} from '../state/lock.ts'

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
  const holder = await findSandboxHolder(folder)
  if (holder === undefined) return undefined
  const [identity, port] = [await readIdentity(folder), await readPort(folder)]
  if (identity === undefined || port === undefined) return undefined
  return {...identity, port, pid: holder.pid, endpoint: `http://127.0.0.1:${port}`}
}

/** Finds the process that has a data folder for its own: a sandbox that serves it, or is about to. */
export async function findSandboxHolder(folder: string): Promise<Holder | undefined> {
  return findHolder(join(folder, 'lock'))
}
