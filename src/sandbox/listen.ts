import {randomInt} from 'node:crypto'
import type {Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {Failure} from '../core/failure.ts'
import {readState, writeState} from './state-file.ts'

const LOOPBACK = '127.0.0.1'
/** Below the ports that systems hand out by themselves: nobody else is likely to take it while the sandbox is off. */
const [FIRST_PORT, LAST_PORT] = [20_000, 32_000]
const ATTEMPTS = 20

/** The port that a data folder used last: links and tickets carry it. */
export async function readPort(folder: string): Promise<number | undefined> {
  const port = (await readState<{port: number}>(join(folder, 'port.json')))?.port
  return Number.isInteger(port) && port !== undefined && port > 0 && port < 65_536 ? port : undefined
}

/** Listens on the wished port, or else the folder's own, or else any; and keeps it. A wished port that is taken fails `busy`. */
export async function listenForFolder(server: Server, folder: string, wished: number | undefined): Promise<number> {
  const known = await readPort(folder)
  const port = await (wished ? listenOrFail(server, wished) : listenAnywhere(server, known))
  if (port !== known) await writeState(join(folder, 'port.json'), {port})
  return port
}

async function listenOrFail(server: Server, port: number): Promise<number> {
  if (await tryListen(server, port)) return port
  throw new Failure('busy', `Port ${port} is taken.`, {suggestion: 'Choose another one, or none.'})
}

async function listenAnywhere(server: Server, known: number | undefined): Promise<number> {
  if (known !== undefined && (await tryListen(server, known))) return known
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT)
    if (await tryListen(server, port)) return port
  }
  await tryListen(server, 0)
  return (server.address() as AddressInfo).port
}

async function tryListen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.removeListener('listening', listening)
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false)
      else reject(error)
    }
    const listening = () => {
      server.removeListener('error', failed)
      resolve(true)
    }
    server.once('error', failed).once('listening', listening).listen(port, LOOPBACK)
  })
}
