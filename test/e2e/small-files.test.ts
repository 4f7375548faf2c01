import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {hashPath, openArena, BUCKET} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {makeCertificate} from '../support/certificate.ts'
import {at, slowDown} from '../support/fault-answers.ts'
import {startFaultProxy} from '../support/fault-proxy.ts'
import {closeIdle, cut, reset, slow} from '../support/faults.ts'
import type {Fault} from '../support/faults.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {runSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'

const COUNT = 400
const LARGEST = 80_000
/** Every so many-th request meets the next of these. */
const EVERY = 3
const FAULTS: readonly Fault[] = [
  reset('headers'),
  reset('body', 3000),
  cut('unstored'),
  slowDown(),
  reset('stored'),
  at(slowDown(), 'headers', 'close'),
  closeIdle(),
  slow(200_000),
]

describe(`${COUNT} small files over connections that break`, function () {
  this.timeout(120_000)
  let arena: Arena
  let home: Home
  let folder: string

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
    folder = join(home.folder, 'tree')
    await mkdir(folder)
    for (let index = 0; index < COUNT; index++) {
      await makeRandomFile(join(folder, String(index)), (index * 1013) % LARGEST, index)
    }
  })
  after(() => arena.close())

  for (const tls of [undefined, makeCertificate()]) {
    it(`are stored with their own bytes${tls === undefined ? '' : ', over TLS too'}`, async () => {
      const proxy = await startFaultProxy({upstream: arena.endpoint, ...(tls === undefined ? {} : {tls})})
      try {
        let requests = 0
        // It strikes nobody, and counts.
        proxy.inject({operation: 'put', fault: closeIdle(), match: () => ++requests < 0})
        for (const [index, fault] of FAULTS.entries()) {
          const match = (): boolean => requests % (EVERY * FAULTS.length) === index * EVERY
          proxy.inject({operation: 'put', fault, times: Infinity, match})
        }
        const bundle = join(home.folder, 'ca.pem')
        await writeFile(bundle, tls?.cert ?? '')
        const trust = tls === undefined ? [] : ['--ca-bundle', bundle]
        const env = {...home.env, AWS_ENDPOINT_URL: proxy.endpoint}
        const argv = ['upload', folder, '-r', `s3://${BUCKET}/small/`, '-q', '--resume', 'never', ...trust]
        const {status, stderr} = await runSkylift(argv, {...home, env})
        expect(status, stderr).to.equal(0)
        expect(requests).to.be.above(COUNT)
        for (let index = 0; index < COUNT; index++) {
          const name = String(index)
          expect(await arena.hashStored(`small/${name}`), name).to.equal(await hashPath(join(folder, name)))
        }
      } finally {
        await proxy.close()
      }
    })
  }
})
