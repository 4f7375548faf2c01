import type {Socket} from 'node:net'

/**
 * Cuts a connection so that the other end sees a reset. One that has ended already is closed: Node takes its handle for
 * closed when libuv refuses to reset it (EINVAL), and the process then spins for ever at its end, in
 * `Environment::CleanupHandles`.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
