import {execFile} from 'node:child_process'
import {createHash} from 'node:crypto'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {makeTempFolder} from '../support/temp-folder.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SKYLIFT = join(ROOT, 'bin', 'run.js')
const DEMO = join(ROOT, 'scripts', 'demo.ts')

describe('npm run demo', () => {
  let env: NodeJS.ProcessEnv
  let temp: string

  before(async () => {
    const [sandbox, state] = [await makeTempFolder(), await makeTempFolder()]
    temp = await makeTempFolder()
    env = {...process.env, SKYLIFT_SANDBOX_DIR: sandbox, SKYLIFT_STATE_DIR: state, TMPDIR: temp, TEMP: temp, TMP: temp}
  })

  after(() => run(process.execPath, [SKYLIFT, 'sandbox', '--stop'], {env}))

  it('uploads in parts, compares what comes back, and leaves a link that works and no file', async function () {
    this.timeout(60_000)
    const size = 40 * 1024 * 1024
    const {stdout, stderr} = await run(process.execPath, ['--import', 'tsx', DEMO, '40M'], {env, cwd: ROOT})

    expect(stderr).to.include('40 MiB in 3 parts')
    expect(stdout).to.include('sandbox://demo/random.bin  40 MiB').and.to.include('every byte the same')
    const link = /^http:\S+$/mu.exec(stdout)?.[0] ?? ''
    const answer = await fetch(link)
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('content-disposition')).to.include('random.bin')
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect(bytes.length).to.equal(size)
    const told = /sha256 (\w+)…/u.exec(stdout)?.[1] ?? 'no sum'
    expect(createHash('sha256').update(bytes).digest('hex').slice(0, told.length)).to.equal(told)
    expect((await readdir(temp)).filter(name => name.startsWith('skylift-demo-'))).to.deep.equal([])
  })

  it('ends with 1 when the upload does not work', async function () {
    this.timeout(60_000)
    const broken = {...env, SKYLIFT_PART_SIZE: '1K'}
    const failure = await run(process.execPath, ['--import', 'tsx', DEMO, '1M'], {env: broken, cwd: ROOT}).catch(
      (error: unknown) => error as {code: number; stdout: string; stderr: string},
    )

    expect(failure).to.have.property('code', 1)
    expect(failure.stdout).not.to.include('every byte the same')
    expect(failure.stderr).to.include('skylift upload ended with 2')
  })
})
