/** Runs a sandbox in a process of its own, for tests that kill it: prints where it is, as JSON, and then each log line. */
import {startSandbox} from '../../src/sandbox/server.ts'

const [folder = '', idle = '0'] = process.argv.slice(2)
// Node dies of SIGXFSZ unless somebody listens; with a listener the write fails with EFBIG.
process.on('SIGXFSZ', () => undefined)
try {
  const {endpoint, port, accessKeyId, secretAccessKey, region} = await startSandbox({
    folder,
    idleTimeout: Number(idle),
    onIdle: () => {
      console.log(JSON.stringify({idle: true}))
    },
  })
  console.log(JSON.stringify({endpoint, port, accessKeyId, secretAccessKey, region}))
} catch (error) {
  const {code, message} = error as {code?: string; message: string}
  console.log(JSON.stringify({code, message}))
  process.exitCode = 1
}
