import {createHash} from 'node:crypto'
import {mkdir, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {callSkylift, makeHome} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'

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

  for (const [words, least, largest] of [
    [[], 24, 128],
    [['-c', '8'], 8, 8],
    [['--concurrency', '20'], 20, 20],
  ] as const) {
    it(`${words.join(' ') || 'not given'}: ${largest} at once`, async () => {
      most = 0
      const env = {
        ...home.env,
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        AWS_ACCESS_KEY_ID: 'k',
        AWS_SECRET_ACCESS_KEY: 's',
        AWS_REGION: 'us-east-1',
      }
      const argv = ['upload', '-r', join(home.folder, 'tree'), 's3://box/', '--resume', 'never', '-q', ...words]
      expect((await callSkylift(argv, {env})).status).to.equal(0)
      // They become more while there is time to spare, and a busy machine has less of it.
      expect(most).to.be.within(least, largest)
    })
  }
})
