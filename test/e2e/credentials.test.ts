import {mkdirSync, renameSync, writeFileSync} from 'node:fs'
import {chmod, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {expiredToken} from '../support/fault-answers.ts'
import type {FaultyRequest} from '../support/faults.ts'
import {runSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {canRun} from '../state/lock-process.ts'

describe('credentials that end during an upload', () => {
  let arena: Arena
  let home: Home
  let env: Env
  let file: string
  let key: string
  let keys = 0

  before(async () => {
    arena = await openArena()
    file = await arena.makeFile(27 * MIB)
  })
  after(() => arena.close())

  beforeEach(async () => {
    arena.proxy.clear()
    key = `object-${++keys}`
    home = await arena.makeHome()
    const {AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...rest} = home.env
    env = rest
  })

  /** One part after the other, unless told otherwise. */
  const upload = (more: {env?: Env; through?: readonly string[]} = {}, concurrency = 1): Promise<Ending> =>
    runSkylift(['upload', file, `s3://${BUCKET}/${key}`, '-p', '5M', '-c', String(concurrency)], {env, ...more})

  const hasToken =
    (token: string) =>
    ({headers}: FaultyRequest): boolean =>
      headers['x-amz-security-token'] === token

  /** From the third part on, whoever comes with the old token is told that it has expired. */
  function expireOld(onExpired = (): void => {}): void {
    arena.proxy.inject({
      operation: 'part',
      fault: expiredToken(),
      skip: 2,
      times: Infinity,
      match(request) {
        if (arena.proxy.count('part') >= 2) onExpired()
        return hasToken('old')(request)
      },
    })
  }

  function writeCredentials(token: string): void {
    const {accessKeyId, secretAccessKey} = arena.keys
    mkdirSync(join(home.env['HOME'] ?? '', '.aws'), {recursive: true})
    const lines = [
      '[default]',
      `aws_access_key_id=${accessKeyId}`,
      `aws_secret_access_key=${secretAccessKey}`,
      `aws_session_token=${token}`,
    ]
    // At one stroke: it is written while it may be read.
    const path = join(home.env['HOME'] ?? '', '.aws', 'credentials')
    writeFileSync(`${path}.new`, `${lines.join('\n')}\n`)
    renameSync(`${path}.new`, path)
  }

  const countParts = (): number =>
    arena.proxy.log.filter(each => each.operation === 'part' && each.status === 200).length

  it('are read anew from a file that was rewritten meanwhile, and no part is sent twice', async () => {
    writeCredentials('old')
    expireOld(() => writeCredentials('new'))
    const {status, stderr} = await upload({}, 4)
    expect(status, stderr).to.equal(0)
    expect(await arena.hashStored(key)).to.equal(await hashPath(file))
    expect(countParts()).to.equal(6)
    expect(arena.proxy.log.filter(each => each.fault !== undefined).length).to.be.within(1, 4)
  })

  it('are asked of a credential_process again, once for all parts', async () => {
    const {accessKeyId, secretAccessKey} = arena.keys
    const [script, calls] = [join(home.folder, 'credentials.sh'), join(home.folder, 'calls')]
    await writeFile(
      script,
      `#!/bin/sh
echo call >>"${calls}"
token=old
[ "$(wc -l <"${calls}")" -gt 1 ] && token=new
echo '{"Version":1,"AccessKeyId":"${accessKeyId}","SecretAccessKey":"${secretAccessKey}","SessionToken":"'$token'"}'
`,
    )
    await chmod(script, 0o755)
    mkdirSync(join(home.env['HOME'] ?? '', '.aws'))
    await writeFile(join(home.env['HOME'] ?? '', '.aws', 'config'), `[profile work]\ncredential_process = ${script}\n`)
    env = {...env, AWS_PROFILE: 'work'}
    expireOld()
    const {status, stderr} = await upload({}, 4)
    expect(status, stderr).to.equal(0)
    expect(await arena.hashStored(key)).to.equal(await hashPath(file))
    expect((await readFile(calls, 'utf8')).trim().split('\n')).to.have.length(2)
  })

  it('and cannot be had anew end it with 4, the parts kept, and it goes on with new ones', async () => {
    writeCredentials('old')
    expireOld()
    const first = await upload()
    expect(first.status, first.stderr).to.equal(4)
    expect(first.stderr).to.match(/credentials have expired\. 2 of 6 parts are kept\./u)
    expect(first.stderr).to.include('Sign in again').and.to.include('it goes on from there')
    arena.proxy.clear()
    writeCredentials('new')
    const second = await upload()
    expect(second.status, second.stderr).to.equal(0)
    expect(countParts()).to.equal(4)
    expect(await arena.hashStored(key)).to.equal(await hashPath(file))
  })

  it('and stand in the environment end it with 4 likewise', async () => {
    expireOld()
    const {AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = ''} = home.env
    env = {...env, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: 'old'}
    const first = await upload()
    expect(first.status, first.stderr).to.equal(4)
    arena.proxy.clear()
    const second = await upload({env: {...env, AWS_SESSION_TOKEN: 'new'}})
    expect(second.status, second.stderr).to.equal(0)
    expect(countParts()).to.equal(4)
  })

  describe('a clock that is off', () => {
    const faketime = (by: string): readonly string[] => ['env', 'FAKETIME_DONT_FAKE_MONOTONIC=1', 'faketime', '-f', by]

    beforeEach(function () {
      skipUnless(this, canRun('faketime', '--version'), 'faketime is not installed (Debian: apt-get install faketime)')
      env = home.env
    })

    for (const by of ['+1h', '-1h', '-400d']) {
      it(`by ${by} is corrected from the store's Date`, async () => {
        const {status, stderr} = await upload({through: faketime(by)})
        expect(status, stderr).to.equal(0)
        expect(await arena.hashStored(key)).to.equal(await hashPath(file))
        // Found out once, not with every request.
        expect(arena.proxy.log.filter(each => each.status === 403).length).to.be.within(1, 3)
      })
    }

    it('and set back between two runs does not keep the second from going on', async () => {
      writeCredentials('old')
      expireOld()
      const {AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...rest} = home.env
      expect((await upload({env: rest, through: faketime('+2d')})).status).to.equal(4)
      arena.proxy.clear()
      const {status, stderr} = await upload({through: faketime('-2d')})
      expect(status, stderr).to.equal(0)
      expect(countParts()).to.equal(4)
      expect(await arena.hashStored(key)).to.equal(await hashPath(file))
    })
  })
})
