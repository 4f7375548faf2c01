import {readFileSync} from 'node:fs'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, makeHome, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {removeTempFolders} from '../support/temp-folder.ts'

/** 100,000 by `npm run test:scale`. */
const SCALE = Number(process.env['SCALE'] ?? 5000)
const FEW = Math.min(1000, SCALE / 5)
/** V8 lets garbage lie while there is room. Nothing that is kept for each of 100,000 files has room in this. */
const HEAP = '--max-old-space-size=48'
const ROOM = 48
const LOOK_EVERY = 50

describe(`${SCALE.toLocaleString('en')} small files`, function () {
  this.timeout(60_000 + SCALE * 20)
  let home: Home
  let client: S3Client

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    home = await makeHome(accessEnv(sandbox))
    for (let index = 0; index < SCALE; index++) {
      const folder = join(home.folder, index < FEW ? 'tree/few' : `tree/rest/${index % 50}`)
      if (index < FEW + 50) await mkdir(folder, {recursive: true})
      await writeFile(join(folder, `file-${index}.txt`), `${index}-`.repeat(100))
    }
  })
  // Within the time of this suite: so many files take a while to remove too.
  after(async () => {
    await closeAll()
    await removeTempFolders()
  })

  /** Runs it and returns its largest resident size in MiB as well, by what Linux says. */
  async function run(...argv: string[]): Promise<Ending & {peak: number; elapsed: number}> {
    const started = performance.now()
    const {child, ended} = startSkylift(['upload', ...argv], {
      env: {...home.env, NODE_OPTIONS: HEAP},
      cwd: home.folder,
    })
    let peak = Number.NaN
    const look = (): void => {
      try {
        const kib = /^VmHWM:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]
        if (kib !== undefined) peak = Number(kib) / 1024
      } catch {
        // It has ended, or this is no Linux.
      }
    }
    const timer = setInterval(look, LOOK_EVERY)
    const ending = await ended.finally(() => clearInterval(timer))
    expect(ending.status, ending.stderr).to.equal(0)
    return {...ending, peak, elapsed: performance.now() - started}
  }

  async function countStored(prefix: string): Promise<number> {
    let count = 0
    for (let token: string | undefined; ;) {
      const page = await client.send(
        new ListObjectsV2Command({Bucket: 'box', Prefix: prefix, ContinuationToken: token}),
      )
      count += page.KeyCount ?? 0
      token = page.NextContinuationToken
      if (token === undefined) return count
    }
  }

  function expectFlat(many: number, few: number): void {
    if (process.platform !== 'linux') return
    expect(many, 'MiB at most, against those of a few files').to.be.below(few + ROOM)
  }

  it('are uploaded, left out and listed in memory that does not grow with them', async () => {
    const few = await run('tree/few', '-r', 's3://box/few/', '--progress', 'lines')
    const all = await run('tree', '-r', 's3://box/all/', '--progress', 'lines', '--results', 'results.ndjson')
    expect(all.stderr).to.match(new RegExp(`^${SCALE} done: `, 'mu'))
    expect(all.stdout.trimEnd().split('\n')).to.have.length(SCALE)
    expect((await readFile(join(home.folder, 'results.ndjson'), 'utf8')).trimEnd().split('\n')).to.have.length(SCALE)
    expect(await countStored('all/')).to.equal(SCALE)
    expectFlat(all.peak, few.peak)

    const again = await run('tree', '-r', 's3://box/all/', '--skip-unchanged', 'checksum', '-v', '--progress', 'lines')
    expect(again.stdout).to.equal('')
    expect(again.stderr).to.match(new RegExp(`^0 done, ${SCALE} there already: `, 'mu'))
    const requests = again.stderr.split('\n').filter(line => /^(?:GET|HEAD|PUT|POST) /u.test(line))
    expect(requests).to.have.length(Math.ceil(SCALE / 1000))
    expectFlat(again.peak, few.peak)
    if (SCALE <= 5000) return
    const tell = (words: string): void => void process.stderr.write(`    ${words}\n`)
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
    tell(`${FEW} files: ${few.peak.toFixed(0)} MiB, ${seconds(few.elapsed)}`)
    tell(
      `${SCALE} files: ${all.peak.toFixed(0)} MiB, ${seconds(all.elapsed)}; again: ${again.peak.toFixed(0)} MiB, ${seconds(again.elapsed)}`,
    )
  })
})
