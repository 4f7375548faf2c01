import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {createServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {text} from 'node:stream/consumers'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import {reset} from '../support/reset.ts'

const SCRIPT = fileURLToPath(new URL('send-alone.ts', import.meta.url))

describe('a request whose connection is all that keeps its process', () => {
  it('is cut off, and fails: the process does not end before it is told', async () => {
    const server = createServer(socket => {
      socket.on('error', () => {}).once('data', () => reset(socket))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, origin], {stdio: ['ignore', 'pipe', 'inherit']})
    const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'close')])
    server.close()
    expect({said, status}).to.deep.equal({said: 'network\n', status: 0})
  })
})
