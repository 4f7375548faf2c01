import {execFile, spawn} from 'node:child_process'
import {open, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {createLineFile} from '../../src/upload/line-file.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const run = promisify(execFile)

describe('a file of lines', () => {
  it('has all lines in their order, whenever they came', async () => {
    const path = join(await makeTempFolder(), 'lines')
    const lines = createLineFile(await open(path, 'a'))
    const expected = Array.from({length: 200}, (_, index) => `line ${index}`)
    for (const [index, line] of expected.entries()) {
      lines.add(line)
      if (index % 20 === 0) await sleep(15)
    }
    await lines.close()
    expect((await readFile(path, 'utf8')).split('\n')).to.deep.equal([...expected, ''])
  })

  it('does not hold this thread where it is a pipe whose reader takes its time', async function () {
    skipUnless(this, process.platform !== 'win32', 'A FIFO is a file of POSIX')
    const pipe = join(await makeTempFolder(), 'pipe')
    await run('mkfifo', [pipe])
    const reader = spawn('sh', ['-c', 'exec < "$0"; sleep 3; wc -c', pipe], {stdio: ['ignore', 'pipe', 'inherit']})
    let counted = ''
    reader.stdout.on('data', (data: Buffer) => (counted += data.toString()))
    const lines = createLineFile(await open(pipe, 'w'))
    let ticks = 0
    const timer = setInterval(() => ticks++, 10)
    // A pipe holds 64 KiB.
    for (let count = 0; count < 4; count++) {
      lines.add('x'.repeat(49_999))
      await sleep(20)
    }
    await lines.close()
    clearInterval(timer)
    if (reader.exitCode === null) await new Promise(resolve => reader.once('close', resolve))
    expect(counted.trim()).to.equal('200000')
    expect(ticks).to.be.above(30)
  })
})
