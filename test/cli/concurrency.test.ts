import {createHash} from 'node:crypto'
import {mkdir, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {callSkylift, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const FILES = 400
/** How long each answer takes, in ms: long beside what a request costs here, so that nobody is kept by a busy thread. */
const ANSWER = 100
const TEXT = 'small'
const ETAG = `"${createHash('md5').update(TEXT).digest('hex')}"`

describe('skylift upload --concurrency, of many small files', () => {
  let home: Home
  let server: Server
  let waiting = 0
  let most = 0

  before(async () => {
    home = await makeHome()
    await mkdir(join(home.folder, 'tree'))
    for (let file = 0; file < FILES; file++) await writeFile(join(home.folder, 'tree', String(file)), TEXT)
    server = createServer((request, response) => {
      request.resume().once('end', async () => {
        most = Math.max(most, ++waiting)
        await sleep(ANSWER)
        waiting--
        response.setHeader('etag', ETAG).end()
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  function reachStore(): Env {
    const {port} = server.address() as AddressInfo
    return {
      ...home.env,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'k',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_REGION: 'us-east-1',
    }
  }

  for (const [words, least, largest] of [
    [[], 24, 128],
    [['-c', '8'], 8, 8],
    [['--concurrency', '20'], 20, 20],
  ] as const) {
    it(`${words.join(' ') || 'not given'}: ${largest} at once`, async () => {
      most = 0
      const env = reachStore()
      const argv = ['upload', '-r', join(home.folder, 'tree'), 's3://box/', '--resume', 'never', '-q', ...words]
      expect((await callSkylift(argv, {env})).status).to.equal(0)
      // They become more while there is time to spare, and a busy machine has less of it.
      expect(most).to.be.within(least, largest)
    })
  }

  describe('where only so many files may be open', () => {
    before(function () {
      skipUnless(this, process.platform === 'linux', 'Linux tells the limit')
    })

    async function runWithin(limit: number, words: readonly string[]): Promise<Ending> {
      const argv = ['upload', '-r', join(home.folder, 'tree'), 's3://box/', '--resume', 'never', '-q', ...words]
      const through = ['sh', '-c', `ulimit -n ${limit} && exec "$@"`, 'sh']
      return runSkylift(argv, {env: reachStore(), through})
    }

    it('as many go at once as fit', async () => {
      most = 0
      const {status, stderr} = await runWithin(100, [])
      expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
      expect(most).to.be.within(8, 18)
    })

    it('says so when more were asked for', async () => {
      const {status, stderr} = await runWithin(64, ['-c', '128'])
      expect(status).to.equal(2)
      expect(stderr).to.match(
        /^(?:"[^"]+" cannot be read|\S+ cannot be reached): too many files and connections are open at once\.\n {2}Raise the limit \(ulimit -n\), or take a smaller --concurrency\.$/mu,
      )
    })
  })
})
