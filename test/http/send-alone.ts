/** Sends 1 MiB to an origin, with nothing else that would keep this process; its last words are how that ended. */
import {createAgents} from '../../src/http/agents.ts'
import {bufferBody} from '../../src/core/buffer-body.ts'
import {send} from '../../src/http/send.ts'
import {isFailure} from '../../src/core/failure.ts'

const [origin = ''] = process.argv.slice(2)
const {signal} = new AbortController()
const request = {method: 'PUT', origin, path: '/', headers: {}, body: bufferBody(Buffer.alloc(1024 * 1024))}
try {
  await send({agents: createAgents()}, request, {signal})
  console.log('answered')
} catch (error) {
  console.log(isFailure(error) ? error.code : String(error))
}
