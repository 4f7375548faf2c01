import {readFile} from 'node:fs/promises'
import type {Socket} from 'node:net'

/**
 * Returns how many bytes of a connection the kernel still holds for sending; undefined where the system does not tell
 * (it does on Linux). Read only when a wait has run out: on a slow link the kernel asks for more data once a third of its
 * buffer is free, which can take longer than any wait, while bytes flow all the time.
 */
export async function readSendQueue(socket: Socket): Promise<number | undefined> {
  const {localPort, remotePort} = socket
  if (localPort === undefined || remotePort === undefined) return undefined
  for (const table of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    const text = await readFile(table, 'latin1').catch(() => '')
    const row = findRow(text, toHex(localPort), toHex(remotePort))
    if (row !== undefined) return row
  }
  return undefined
}

/** Columns: number, local address:port, remote address:port, state, tx_queue:rx_queue, all in hex. */
function findRow(text: string, local: string, remote: string): number | undefined {
  for (const line of text.split('\n')) {
    const [, from, to, , queues] = line.trim().split(/\s+/u)
    if (from?.endsWith(`:${local}`) && to?.endsWith(`:${remote}`))
      return Number.parseInt(queues?.split(':', 1)[0] ?? '', 16)
  }
  return undefined
}

function toHex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
