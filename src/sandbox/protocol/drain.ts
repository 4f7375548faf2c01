import type {IncomingMessage} from 'node:http'

const MAX_DRAIN = 32 * 1024 * 1024
const MAX_WAIT = 2000

/**
 * Reads what is left of a refused body and throws it away, within limits. Closing a socket with unread bytes resets
 * it, and the client would lose the answer that it has not read yet.
 */
export async function drainBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return
  await new Promise<void>(resolve => {
    let left = MAX_DRAIN
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(done, MAX_WAIT)
    request.on('data', (piece: Buffer) => {
      left -= piece.length
      if (left < 0) done()
    })
    request.once('end', done).once('close', done).once('error', done)
    request.resume()
  })
  if (!request.complete) request.socket.destroy()
}
