import {createHmac} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift, startSwift} from '../servers/swift.ts'
import {callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'

interface Diagnosis {
  readonly ok: boolean
  readonly checks: readonly {readonly name: string; readonly status: string; readonly message: string}[]
}

describe('saved remotes and the doctor, at a real OpenStack Swift', function () {
  this.timeout(120_000)
  let home: Home
  let env: Env
  let swift: Env

  before(async function () {
    needSwift(this, {withKeystone: true})
    const server = await startSwift({withKeystone: true})
    swift = {
      ...server.env,
      OS_STORAGE_URL_OF_V1: server.v1.storageUrl,
      V1_URL: server.v1.authUrl,
      V1_USER: server.v1.user,
      V1_KEY: server.v1.key,
    }
    home = await makeHome()
    env = {
      ...home.env,
      PASSWORD: swift['OS_PASSWORD'] ?? '',
      KEY: server.v1.key,
      APP_SECRET: swift['OS_APPLICATION_CREDENTIAL_SECRET'] ?? '',
    }
  })

  const call = async (...argv: string[]): Promise<Ending> => {
    const ending = await callSkylift(argv, {env})
    for (const secret of [env['PASSWORD'], env['KEY'], env['APP_SECRET']]) {
      expect(ending.stdout + ending.stderr).not.to.include(secret)
    }
    return ending
  }
  const word = (name: string): string => swift[name] ?? `no ${name}`
  const examine = async (...argv: string[]): Promise<Record<string, string>> => {
    const {checks} = readJson<Diagnosis>(await call('doctor', ...argv, '--json'))
    return Object.fromEntries(checks.map(({name, status, message}) => [name, `${status}: ${message}`]))
  }

  const keystone = (): string[] => [
    '--auth-url',
    word('OS_AUTH_URL').replace(/\/v3$/u, ''),
    '--region',
    word('OS_REGION_NAME'),
  ]
  const WAYS: readonly (readonly [name: string, flags: () => string[], who: RegExp])[] = [
    [
      'by-v1',
      () => ['--auth-url', word('V1_URL'), '--user', word('V1_USER'), '--secret-env', 'KEY'],
      /ok: test:tester; ends in /u,
    ],
    [
      'by-password',
      () => [
        ...keystone(),
        '--user',
        word('OS_USERNAME'),
        '--project',
        word('OS_PROJECT_NAME'),
        '--secret-env',
        'PASSWORD',
      ],
      /ok: demo in the project demo; ends in /u,
    ],
    [
      'by-credential',
      () => [
        ...keystone(),
        '--application-credential-id',
        word('OS_APPLICATION_CREDENTIAL_ID'),
        '--secret-env',
        'APP_SECRET',
      ],
      /ok: demo in the project demo; ends in /u,
    ],
    [
      'by-command',
      () => [
        ...keystone(),
        '--user',
        word('OS_USERNAME'),
        '--project-id',
        word('OS_PROJECT_ID'),
        '--credential-process',
        `echo '{"Version": 1, "SecretAccessKey": "'$PASS_WORD'"}'`,
      ],
      /ok: demo in the project demo; ends in /u,
    ],
  ]
  for (const [name, flags, who] of WAYS) {
    it(`signs in ${name.replace('-', ' ')}, uploads, and is found well`, async () => {
      env = {...env, PASS_WORD: env['PASSWORD'] ?? ''}
      expect(await call('remote', 'add', name, ...flags(), '--check')).to.include({status: 0})
      const file = join(home.folder, 'f')
      await writeFile(file, 'the bytes')
      expect((await call('container', 'create', `${name}://of-${name}`)).status).to.equal(0)
      expect((await call('upload', file, `${name}://of-${name}/a/`)).status).to.equal(0)
      const found = await examine(`${name}://of-${name}/a/`)
      expect(found['credentials']).to.match(who)
      expect(found['write']).to.equal('ok: may put objects')
      expect(found['multipart']).to.match(/^open: could not be told: The container for segments is not there yet/u)
      expect(found['clock']).to.equal('ok: agrees with the server')
      const after = await examine(`${name}://of-${name}/a/`, '--write')
      expect(after['real write']).to.match(
        /^ok: one object was written, verified by md5, and deleted; and one part sent/u,
      )
      const segments = `${name}://of-${name}_segments`
      expect((await call('container', 'show', segments)).status, 'the container for the part').to.equal(5)
      expect((await call('container', 'create', segments)).status).to.equal(0)
      expect((await examine(`${name}://of-${name}`, '--write'))['multipart']).to.equal(
        'ok: may send parts of large objects',
      )
      expect((await call('container', 'show', segments)).status, 'the container that was there').to.equal(0)
      expect((await call('container', 'delete', segments, '-y')).status).to.equal(0)
      expect((await call('container', 'delete', `${name}://of-${name}`, '-r', '-y')).status).to.equal(0)
    })
  }

  it('signs with the Temp-URL key of a variable, and with that of the account where it is not set', async () => {
    env = {...env, LINK_KEY: 'a key that the account does not have'}
    const flags = ['--auth-url', word('V1_URL'), '--user', word('V1_USER'), '--secret-env', 'KEY']
    await call('remote', 'add', 'keyed', ...flags, '--temp-url-key-env', 'LINK_KEY')
    await call('container', 'create', 'keyed://of-keys')
    await call('temp-url-key', 'set', 'keyed://of-keys', '-y')
    const path = new URL(word('OS_STORAGE_URL_OF_V1')).pathname
    const url = new URL((await call('temp-url', 'keyed://of-keys/k', '--digest', 'sha256')).stdout.trim())
    const signed = ['GET', url.searchParams.get('temp_url_expires'), `${path}/of-keys/k`].join('\n')
    const expected = createHmac('sha256', env['LINK_KEY'] ?? '').update(signed)
    expect(url.searchParams.get('temp_url_sig')).to.equal(expected.digest('hex'))
    const shown = await call('remote', 'show', 'keyed')
    expect(shown.stdout)
      .to.match(/Temp-URL key +\*{4} +environment LINK_KEY/u)
      .and.not.include(env['LINK_KEY'])
    env = {...env, LINK_KEY: ''}
    const upload = join(home.folder, 'k')
    await writeFile(upload, 'the bytes')
    await call('upload', upload, 'keyed://of-keys/k')
    expect((await call('temp-url', 'keyed://of-keys/k', '--check')).status).to.equal(0)
    const bad = await call('remote', 'add', 'bad-key', ...flags, '--temp-url-key-env', 'abc=0123-key')
    expect(bad.stderr).to.include('--temp-url-key-env: that is not the name').and.not.include('0123')
    expect(bad.status).to.equal(2)
  })

  it('is told of a wrong password and of a wrong region before anything is saved', async () => {
    const flags = [...keystone(), '--user', 'demo', '--project', 'demo', '--secret-env', 'HOME']
    const wrong = await call('remote', 'add', 'wrong', ...flags, '--check')
    expect(wrong.status).to.equal(4)
    expect(wrong.stderr).to.include('was refused').and.to.include('Nothing was saved')
    const [address = '', url = ''] = keystone()
    const elsewhere = [
      address,
      url,
      '--region',
      'Nowhere',
      '--user',
      'demo',
      '--project',
      'demo',
      '--secret-env',
      'PASSWORD',
    ]
    const nowhere = await call('remote', 'add', 'wrong', ...elsewhere, '--check')
    expect(nowhere.stderr).to.include('There is no object store in region "Nowhere"')
    expect(nowhere.status).to.equal(2)
    expect((await call('remote', 'show', 'wrong')).stderr).to.include('There is no remote "wrong".')
  })

  it('prints the ACLs of whoever may upload, which Swift takes as they are', async () => {
    const {stdout, stderr} = await call('doctor', 'by-v1://acl', '--policy', '--rights', 'resume')
    expect(stdout).to.equal(
      "swift post acl --write-acl 'PROJECT_ID:USER_ID'\nswift post acl_segments --write-acl 'PROJECT_ID:USER_ID' --read-acl 'PROJECT_ID:USER_ID,.rlistings'\n",
    )
    expect(stderr).to.include('cannot make "acl_segments"')
  })

  it('tests the CORS of a container, with its temp URLs and without', async () => {
    await call('container', 'create', 'by-v1://cors')
    const test = () =>
      call('cors', 'test', 'by-v1://cors', '--origin', 'https://a.example', '--method', 'PUT', '--method', 'GET')
    const before = await test()
    expect(before.stdout).to.include('✗ preflight')
    expect(before.status).to.equal(4)
    await call('cors', 'set', 'by-v1://cors', '--preset', 'browser-upload', '--origin', 'https://a.example')
    const after = await test()
    expect(after.stdout).to.include('can use PUT').and.to.include('can use GET')
    expect(after.status).to.equal(0)
    await call('temp-url-key', 'set', 'by-v1://cors')
    expect((await test()).status).to.equal(0)
    expect((await call('container', 'delete', 'by-v1://cors')).status).to.equal(0)
  })

  it('tells a container that is not there, and the S3 API of the same store', async () => {
    expect((await examine('by-v1://nowhere-to-be-found'))['container']).to.match(/^failed: There is no container/u)
    const s3 = {
      AWS_ACCESS_KEY_ID: word('AWS_ACCESS_KEY_ID'),
      AWS_SECRET_ACCESS_KEY: word('AWS_SECRET_ACCESS_KEY'),
      AWS_REGION: word('S3_REGION'),
    }
    env = {...env, ...s3, AWS_ENDPOINT_URL: word('S3_ENDPOINT')}
    await call('container', 'create', 's3://by-s3')
    const found = await examine('s3://by-s3')
    expect(found['write']).to.equal('ok: may put objects')
    for (const name of ['multipart', 'resume', 'abort', 'list']) expect(found[name], name).to.match(/^ok/u)
    const objects = await call('container', 'delete', 's3://by-s3')
    expect(objects.status).to.equal(0)
  })
})
