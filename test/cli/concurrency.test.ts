import {createHash} from 'node:crypto'
import {mkdir, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {Server, ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {callSkylift, makeHome} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'

const FILES = 40
const TEXT = 'small'
const ETAG = `"${createHash('md5').update(TEXT).digest('hex')}"`

describe('skylift upload --concurrency, of many small files', () => {
  let home: Home
  let server: Server
  const waiting: ServerResponse[] = []
  let most = 0
  let enough = 0

  before(async () => {
    home = await makeHome()
    await mkdir(join(home.folder, 'tree'))
    for (let file = 0; file < FILES; file++) await writeFile(join(home.folder, 'tree', String(file)), TEXT)
    // Answers nobody before so many wait, and then looks whether more come.
    server = createServer((request, response) => {
      request.resume().once('end', async () => {
        waiting.push(response)
        most = Math.max(most, waiting.length)
        if (waiting.length !== enough) return
        await sleep(200)
        for (const each of waiting.splice(0)) each.setHeader('etag', ETAG).end()
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  for (const [words, expected] of [
    [[], FILES],
    [['-c', '8'], 8],
    [['--concurrency', '20'], 20],
  ] as const) {
    it(`${words.join(' ') || 'not given'}: ${expected} at once`, async () => {
      most = 0
      enough = expected
      const env = {
        ...home.env,
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        AWS_ACCESS_KEY_ID: 'k',
        AWS_SECRET_ACCESS_KEY: 's',
        AWS_REGION: 'us-east-1',
      }
      const argv = ['upload', '-r', join(home.folder, 'tree'), 's3://box/', '--resume', 'never', '-q', ...words]
      await callSkylift(argv, {env})
      expect(most).to.equal(expected)
    })
  }
})
