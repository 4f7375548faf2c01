import {expect} from 'chai'
import {GIB, MIB} from '../../src/core/sizes.ts'
import {buildMeasure, measureCommand} from '../bench/measure.ts'
import {buildSink, canBuildSink, makeCertificate, startSink} from '../bench/sink.ts'
import type {Sink} from '../bench/sink.ts'
import {BIN, makeHome} from '../support/run-skylift.ts'
import type {Env} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const SIZE = 2 * GIB

describe('memory, while 2 GiB come from stdin', function () {
  this.timeout(120_000)
  let sink: Sink
  let program: string
  let env: Env

  before(async function () {
    skipUnless(
      this,
      await canBuildSink(),
      'a C compiler or OpenSSL is missing (Debian: apt-get install gcc libssl-dev)',
    )
    sink = await startSink(await buildSink(), await makeCertificate())
    program = await buildMeasure()
    const home = await makeHome({
      AWS_ENDPOINT_URL: sink.http,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      AWS_REGION: 'us-east-1',
    })
    env = home.env
  })
  after(async () => sink?.stop())

  for (const [what, flags, most] of [
    ['is what --memory says and what Node needs itself', '', 256 + 128],
    ['is less where --memory says less, and parts are held on disk', '--memory 16M -p 64M', 160],
    ['does not grow where the store is slower than the stream', '--limit-rate 400M --memory 128M -p 20M', 128 + 128],
  ] as const) {
    it(what, async () => {
      await sink.reset()
      const script = `head -c ${SIZE} /dev/zero | ${process.execPath} ${BIN} upload - s3://bench/stream -q ${flags}`
      const {rss} = await measureCommand(program, {argv: ['sh', '-c', script], env})
      expect(rss / MIB).to.be.below(most)
      expect(await sink.stats()).to.include({bytes: SIZE, complete: 1, cut: 0})
    })
  }
})
