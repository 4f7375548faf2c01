import {expect} from 'chai'
import {runCredentialProcess} from '../../src/cli/credential-process.ts'
import {isFailure} from '../../src/core/failure.ts'
import {skipUnless} from '../support/skip.ts'
import {SOON} from '../support/soon.ts'

describe('a credential process', () => {
  before(function () {
    skipUnless(this, process.platform !== 'win32', 'The commands are for a shell of Linux or macOS')
  })

  async function fail(command: string, longest?: number): Promise<unknown> {
    const started = performance.now()
    const failed = await runCredentialProcess(command, 'mine', longest).catch((error: unknown) => error)
    expect(performance.now() - started).to.be.below(SOON)
    return failed
  }

  it('that does not end is ended, whatever it has started', async () => {
    const failed = await fail('sleep 60; echo late', 300)
    expect(isFailure(failed, 'auth'), String(failed)).to.equal(true)
    expect(String(failed)).to.include('mine').and.to.include('SIGKILL')
  })

  it('that says too much is ended', async () => {
    const failed = await fail('head -c 2000000 /dev/zero; sleep 60')
    expect(isFailure(failed, 'auth'), String(failed)).to.equal(true)
  })

  it('answers as soon as it has ended', async () => {
    const answer = '{"Version": 1, "SecretAccessKey": "s", "AccessKeyId": "a"}'
    expect(await runCredentialProcess(`echo '${answer}'`, 'mine')).to.deep.equal({secret: 's', accessKeyId: 'a'})
  })
})
