/** Takes a lock in a process of its own and holds it until stdin ends: prints what came of it, as JSON. */
import {once} from 'node:events'
import {Failure} from '../../src/core/failure.ts'
import {takeLock} from '../../src/state/lock.ts'

const [path = ''] = process.argv.slice(2)
try {
  const lock = await takeLock(path, ({pid}) => new Failure('busy', `Held by ${pid}.`))
  console.log(JSON.stringify({pid: process.pid}))
  process.stdin.resume()
  await once(process.stdin, 'end')
  await lock.release()
} catch (error) {
  console.log(JSON.stringify({refused: (error as Error).message}))
}
