import {existsSync} from 'node:fs'
import {chmod, mkdir, readFile, stat, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {expect} from 'chai'
import {PRESET_NAMES, PRESETS} from '../../src/cli/presets.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import type {Access} from '../sandbox/support.ts'
import {callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'
import {needTerminal, talkToSkylift} from '../support/terminal.ts'

const SECRET = 'geheim/+=Wort 1'

interface Settings {
  readonly settings: readonly {readonly setting: string; readonly value: string; readonly from: string}[]
}

describe('skylift remote', () => {
  let home: Home
  let file: string
  let sandbox: Access

  before(async () => {
    sandbox = await openSandbox()
  })
  after(closeAll)
  beforeEach(async () => {
    home = await makeHome()
    file = join(home.env['HOME'] ?? '', '.config', 'skylift', 'remotes.json')
  })

  const call = (argv: readonly string[], env: Env = {}): Promise<Ending> =>
    callSkylift(argv, {env: {...home.env, ...env}})
  const add = (name: string, ...flags: string[]): Promise<Ending> => call(['remote', 'add', name, ...flags])
  const readFileJson = async (): Promise<Record<string, unknown>> => JSON.parse(await readFile(file, 'utf8'))
  const settingsOf = async (argv: readonly string[], env: Env = {}): Promise<Record<string, readonly string[]>> => {
    const {settings} = readJson<Settings>(await call(['remote', 'show', ...argv, '--json'], env))
    return Object.fromEntries(settings.map(({setting, value, from}) => [setting, [value, from]]))
  }
  const addBox = (...flags: string[]): Promise<Ending> =>
    add('box', '--endpoint-url', sandbox.endpoint, '--access-key-id', sandbox.accessKeyId, ...flags)

  describe('add', () => {
    const PLACES: Readonly<
      Record<string, readonly [flags: readonly string[], place: string, region: string | undefined]>
    > = {
      aws: [['--region', 'eu-central-1'], 'AWS', 'eu-central-1'],
      r2: [['--account', 'a1'], 'https://a1.r2.cloudflarestorage.com', 'auto'],
      b2: [['--region', 'us-west-004'], 'https://s3.us-west-004.backblazeb2.com', 'us-west-004'],
      minio: [['--endpoint-url', 'http://m:9000/'], 'http://m:9000', 'us-east-1'],
      ceph: [['--endpoint-url', 'https://c'], 'https://c', 'us-east-1'],
      wasabi: [[], 'https://s3.us-east-1.wasabisys.com', 'us-east-1'],
      digitalocean: [['--region', 'fra1'], 'https://fra1.digitaloceanspaces.com', 'us-east-1'],
      gcs: [[], 'https://storage.googleapis.com', 'auto'],
      scaleway: [['--region', 'nl-ams'], 'https://s3.nl-ams.scw.cloud', 'nl-ams'],
      'ovh-s3': [['--region', 'gra'], 'https://s3.gra.io.cloud.ovh.net', 'gra'],
      ovh: [['--region', 'GRA', '--user', 'u', '--project', 'p'], 'https://auth.cloud.ovh.net/v3', 'GRA'],
      rackspace: [['--region', 'IAD', '--user', 'u'], 'https://identity.api.rackspacecloud.com/v2.0', 'IAD'],
    }

    it('has a place for every preset', () => expect(Object.keys(PLACES)).to.have.members(PRESET_NAMES))

    for (const [name, [flags, place, region]] of Object.entries(PLACES)) {
      it(`knows where ${name} is, and says whether it was tried`, async () => {
        const keys = PRESETS[name]?.provider === 's3' ? ['--access-key-id', 'ID'] : []
        const {status, stderr} = await add('my-own', '--preset', name, ...flags, ...keys, '--secret-env', 'THE_SECRET')
        expect(status).to.equal(0)
        expect(stderr)
          .to.match(/ried against /u)
          .and.to.include('THE_SECRET is not set at the moment.')
        const {'my-own': saved} = (await readFileJson()) as {'my-own': {endpointUrl?: string; auth?: {authUrl: string}}}
        expect(saved).to.include({preset: name, ...(region === undefined ? {} : {region})})
        expect(saved).to.deep.include({secret: {env: 'THE_SECRET'}})
        expect(saved.endpointUrl ?? saved.auth?.authUrl ?? 'AWS').to.equal(place)
      })
    }

    it('writes a file that only its owner can read, whatever the umask', async () => {
      const before = process.umask(0o000)
      try {
        await addBox('--secret-env', 'X')
      } finally {
        process.umask(before)
      }
      expect((await stat(file)).mode & 0o777).to.equal(0o600)
      expect((await stat(dirname(file))).mode & 0o777).to.equal(0o700)
      await chmod(file, 0o644)
      await add('other', '--preset', 'gcs')
      expect((await stat(file)).mode & 0o777).to.equal(0o600)
    })

    it('takes the secret from stdin, to the letter, and never shows it', async () => {
      const argv = ['remote', 'add', 'box', '--endpoint-url', 'https://x', '--access-key-id', 'ID', '--secret-stdin']
      const ending = await runSkylift([...argv, '--json'], {env: home.env, stdin: Buffer.from(`${SECRET}\r\n`)})
      expect(ending.status).to.equal(0)
      expect(await readFileJson()).to.have.nested.property('box.secret.value', SECRET)
      const shown = [
        ending,
        await call(['remote', 'list']),
        await call(['remote', 'list', '--json']),
        await call(['remote', 'show', 'box']),
        await call(['remote', 'show', 'box', '--json']),
        await call(['link', 'box://c/k', '-v']),
      ]
      for (const {stdout, stderr} of shown) expect(stdout + stderr).not.to.include('geheim')
    })

    it('asks the network nothing, and with --check saves only what the store knows', async () => {
      expect((await addBox('--secret-env', 'BOX')).status).to.equal(0)
      const argv = ['remote', 'add', 'box', '--replace', '--endpoint-url', sandbox.endpoint]
      const check = [...argv, '--access-key-id', sandbox.accessKeyId, '--secret-env', 'BOX', '--check']
      const before = await readFile(file, 'utf8')
      const wrong = await call(check, {BOX: 'wrong'})
      expect(wrong).to.include({status: 4, stdout: ''})
      expect(wrong.stderr).to.include('Nothing was saved; without --check it is.')
      expect(await readFile(file, 'utf8')).to.equal(before)
      const right = await call(check, {BOX: sandbox.secretAccessKey})
      expect(right.stderr).to.include('Checked: it answers, and has')
      expect(right.status).to.equal(0)
    })

    it('keeps a name that is taken, unless told to replace it', async () => {
      await addBox('--secret-env', 'ONE')
      expect((await addBox('--secret-env', 'TWO')).status).to.equal(6)
      expect(await readFileJson()).to.have.nested.property('box.secret.env', 'ONE')
      await addBox('--secret-env', 'TWO', '--replace')
      expect(await readFileJson()).to.have.nested.property('box.secret.env', 'TWO')
    })

    it('loses none of several that are added at once', async () => {
      const names = ['aa', 'bb', 'cc', 'dd']
      const endings = await Promise.all(
        names.map(name => runSkylift(['remote', 'add', name, '--preset', 'gcs'], {env: home.env})),
      )
      expect(endings.map(({status}) => status)).to.deep.equal([0, 0, 0, 0])
      expect(Object.keys(await readFileJson())).to.have.members(names)
    })

    it('asks on a terminal, and does not show what is typed as a secret', async function () {
      needTerminal(this)
      const {status, screen} = await talkToSkylift(['remote', 'add', 'mine'], {
        env: home.env,
        talk: [
          [/Which one\?/u, 'nonsense\r'],
          [/One of these words/u, 'b2\r'],
          [/Region, such as us-west-004:/u, 'eu-central-003\r'],
          [/Access key ID/u, '004ab\r'],
          [/Secret access key:/u, `${SECRET}\r`],
        ],
      })
      expect(status).to.equal(0)
      expect(screen).to.include('Backblaze B2').and.not.to.include('geheim')
      expect(await readFileJson()).to.deep.equal({
        mine: {
          provider: 's3',
          preset: 'b2',
          endpointUrl: 'https://s3.eu-central-003.backblazeb2.com',
          region: 'eu-central-003',
          accessKeyId: '004ab',
          secret: {value: SECRET},
        },
      })
    })

    it('saves nothing when the person leaves at a question', async function () {
      needTerminal(this)
      const talk = [[/Access key ID/u, '\u0003']] as const
      const {status} = await talkToSkylift(['remote', 'add', 'mine', '--preset', 'gcs'], {env: home.env, talk})
      expect(status).to.equal(130)
      expect(existsSync(file)).to.equal(false)
    })

    const REFUSED: readonly (readonly [argv: readonly string[], words: RegExp])[] = [
      [[], /Missing 1 required arg/u],
      [['s3', '--preset', 'aws'], /"s3" has a meaning of its own/u],
      [['https', '--preset', 'aws'], /"https" has a meaning of its own/u],
      [['X', '--preset', 'aws'], /cannot be the name of a remote/u],
      [['__proto__', '--preset', 'aws'], /cannot be the name of a remote/u],
      [['a b', '--preset', 'aws'], /cannot be the name of a remote/u],
      [['mine'], /--preset is missing/u],
      [['mine', '--preset', 'nosuch'], /Expected --preset=nosuch to be one of/u],
      [['mine', '--preset', 'r2'], /--account is missing/u],
      [['mine', '--preset', 'b2'], /--region is missing/u],
      [['mine', '--preset', 'b2', '--region', 'x/../y'], /cannot stand in an address/u],
      [['mine', '--preset', 'minio'], /--endpoint-url is missing/u],
      [['mine', '--preset', 'aws', '--provider', 's3'], /has its own provider/u],
      [['mine', '--preset', 'aws', '--user', 'x'], /--user does not go with the preset aws/u],
      [['mine', '--preset', 'rackspace', '--profile', 'x'], /--profile does not go with the preset rackspace/u],
      [['mine', '--preset', 'rackspace', '--region', 'IAD'], /--user is missing/u],
      [['mine', '--endpoint-url', 'minio:9000'], /not an http or https address/u],
      [['mine', '--endpoint-url', 'https://id:geheim@x'], /no user, password or query/u],
      [['mine', '--preset', 'gcs', '--access-key-id', 'I'], /No secret was given/u],
      [['mine', '--preset', 'gcs', '--secret-env', 'X'], /--access-key-id is missing/u],
      [['mine', '--preset', 'gcs', '--access-key-id', 'I', '--secret-env', 'geheim/+='], /not the name of a variable/u],
      [['mine', '--profile', 'p', '--access-key-id', 'I'], /A profile has its own keys/u],
      [['mine', '--preset', 'gcs', '--secret', 'geheim'], /Nonexistent flag: --secret\b/u],
      [['mine', '--preset', 'gcs', '--secret-env', 'X', '--secret-stdin'], /cannot also be provided/u],
    ]
    for (const [argv, words] of REFUSED) {
      it(`refuses ${JSON.stringify(argv)}`, async () => {
        const {status, stdout, stderr} = await call(['remote', 'add', ...argv])
        expect(stderr).to.match(words).and.not.to.include('geheim')
        expect({status, stdout}).to.deep.equal({status: 2, stdout: ''})
        expect(existsSync(file)).to.equal(false)
      })
    }
  })

  describe('as a target', () => {
    it('serves every command', async () => {
      await addBox('--secret-env', 'BOX')
      const path = join(home.folder, 'f')
      await writeFile(path, 'the bytes')
      const run = async (...argv: string[]): Promise<Ending> => {
        const ending = await call(argv, {BOX: sandbox.secretAccessKey})
        expect(ending.stderr + ending.stdout, argv.join(' ')).not.to.include(sandbox.secretAccessKey)
        expect(ending.status, argv.join(' ') + ending.stderr).to.equal(0)
        return ending
      }
      await run('container', 'create', 'box://every')
      await run('upload', path, 'box://every/k')
      await run('verify', path, 'box://every/k')
      await run('cors', 'set', 'box://every', '--origin', 'https://a.example')
      await run('cors', 'show', 'box://every')
      await run('pending', 'list', 'box://every')
      const {stdout: url} = await run('link', 'box://every/k')
      expect(await (await fetch(url.trim())).text()).to.equal('the bytes')
      await run('temp-url', 'box://every/k', '-X', 'PUT')
      expect((await run('container', 'list', 'box://')).stdout).to.include('every')
      await run('container', 'delete', 'box://every', '-r', '-y')
    })

    it('takes the keys of an external command, and asks again when they have ended', async () => {
      const script = join(home.folder, 'keys.sh')
      const {accessKeyId, secretAccessKey} = sandbox
      const answer = JSON.stringify({
        Version: 1,
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Expiration: new Date(Date.now() + 1000).toISOString(),
      })
      await writeFile(script, `echo x >> '${script}.calls'; cat; echo '${answer}'\n`)
      expect(
        (await add('box', '--endpoint-url', sandbox.endpoint, '--credential-process', `sh '${script}'`)).status,
      ).to.equal(0)
      expect(existsSync(`${script}.calls`)).to.equal(false)
      const argv = ['container', 'create', 'box://by-command']
      expect((await runSkylift(argv, {env: home.env, stdin: 'open'})).status).to.equal(0)
      expect((await readFile(`${script}.calls`, 'utf8')).split('x').length).to.be.above(2)
      expect(await readFile(file, 'utf8')).not.to.include(secretAccessKey)
    })

    for (const [what, command, words, status] of [
      ['fails', 'echo geheim; exit 3', /failed \(status 3\)/u, 4],
      ['is not there', '/nonexistent/geheim', /failed \(status 127\)/u, 4],
      ['answers something else', 'echo geheim', /does not answer as it must/u, 2],
      ['has no secret', `echo '{"Version": 1, "AccessKeyId": "geheim"}'`, /does not answer as it must/u, 2],
      ['has another version', `echo '{"Version": 2, "SecretAccessKey": "geheim"}'`, /does not answer as it must/u, 2],
    ] as const) {
      it(`says it when the command ${what}, and nothing that it said`, async () => {
        await add('box', '--endpoint-url', sandbox.endpoint, '--credential-process', command)
        const ending = await call(['container', 'list', 'box://'])
        expect(ending.stderr).to.match(words).and.not.to.include('geheim')
        expect(ending).to.include({status, stdout: ''})
      })
    }

    it('says which variable is missing', async () => {
      await addBox('--secret-env', 'BOX')
      const {status, stderr} = await call(['container', 'list', 'box://'])
      expect(status).to.equal(2)
      expect(stderr).to.include('takes its secret from BOX, which is not set')
    })

    it('says which remotes there are for a name that nobody saved', async () => {
      await addBox('--secret-env', 'BOX')
      for (const argv of [
        ['container', 'list', 'bax://'],
        ['remote', 'show', 'bax'],
        ['remote', 'remove', 'bax', '-y'],
      ]) {
        const {status, stderr} = await call(argv)
        expect(stderr).to.include('There is no remote "bax".').and.to.include('yours are box://')
        expect(status).to.equal(2)
      }
      expect((await call(['container', 'list', 'constructor://'])).stderr).to.include(
        'There is no remote "constructor".',
      )
    })
  })

  describe('precedence', () => {
    const foreign = {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_REGION: 'eu-west-9',
      AWS_ACCESS_KEY_ID: 'OTHER',
      AWS_SECRET_ACCESS_KEY: 'other-secret-access-key',
      AWS_PROFILE: 'other',
    }

    it('lets the environment of AWS change nothing of a remote with keys of its own', async () => {
      await addBox('--secret-env', 'BOX', '--region', sandbox.region)
      const env = {...foreign, BOX: sandbox.secretAccessKey}
      expect((await call(['container', 'list', 'box://'], env)).status).to.equal(0)
      expect(await settingsOf(['box'], env))
        .to.include.deep.keys('endpoint')
        .and.to.deep.include({
          endpoint: [sandbox.endpoint, 'remote'],
          region: [sandbox.region, 'remote'],
          'access key ID': [sandbox.accessKeyId, 'remote'],
          'secret access key': ['****', 'environment BOX'],
        })
    })

    it('is flag, environment, remote, default; and the connection is made accordingly', async () => {
      await add(
        'box',
        '--endpoint-url',
        'http://127.0.0.1:1',
        '--access-key-id',
        sandbox.accessKeyId,
        '--secret-env',
        'BOX',
      )
      const env = {BOX: sandbox.secretAccessKey}
      const wrong = {...env, SKYLIFT_ENDPOINT_URL: 'http://127.0.0.1:2'}
      const right = {...env, SKYLIFT_ENDPOINT_URL: sandbox.endpoint}
      const list = ['container', 'list', 'box://', '--retry-for', '100ms']
      expect((await call(list, env)).stderr).to.include('127.0.0.1:1 refused')
      expect((await call(list, right)).status).to.equal(0)
      expect((await call(list, wrong)).stderr).to.include('127.0.0.1:2 refused')
      expect((await call([...list, '--endpoint-url', sandbox.endpoint], wrong)).status).to.equal(0)
      const from = async (argv: string[], more: Env): Promise<unknown> => (await settingsOf(argv, more))['endpoint']
      expect(await from(['box'], env)).to.deep.equal(['http://127.0.0.1:1', 'remote'])
      expect(await from(['box'], wrong)).to.deep.equal(['http://127.0.0.1:2', 'environment SKYLIFT_ENDPOINT_URL'])
      expect(await from(['box', '--endpoint-url', 'http://f'], wrong)).to.deep.equal([
        'http://f',
        'flag --endpoint-url',
      ])
      expect(await from(['s3'], foreign)).to.deep.equal(['http://127.0.0.1:1', 'environment AWS_ENDPOINT_URL'])
      expect((await settingsOf(['s3']))['region']).to.deep.equal(['found when it is needed', 'default'])
      expect((await settingsOf(['box', '--region', 'r'], env))['region']).to.deep.equal(['r', 'flag --region'])
    })

    it('lets the AWS chain fill in what a remote leaves open', async () => {
      await add('open-one', '--preset', 'minio', '--endpoint-url', sandbox.endpoint)
      const {accessKeyId, secretAccessKey} = sandbox
      const env = {AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey}
      expect((await call(['container', 'list', 'open-one://'], env)).status).to.equal(0)
      expect((await settingsOf(['open-one']))['profile']).to.deep.equal(['the AWS chain', 'default'])
    })

    it('of Swift: a sign-in, its words, and where the rest comes from', async () => {
      await add('sw', '--auth-url', 'https://keystone', '--user', 'u', '--project', 'p', '--secret-env', 'PASS')
      const env = {OS_REGION_NAME: 'Other', OS_CLOUD: 'other', PASS: 'x'}
      expect(await settingsOf(['sw', '--interface', 'internal'], env)).to.deep.include({
        'sign-in': ['https://keystone/v3', 'remote'],
        method: ['v3-password', 'remote'],
        user: ['u', 'remote'],
        project: ['p', 'remote'],
        secret: ['****', 'environment PASS'],
        region: ['the only one of the sign-in', 'default'],
        interface: ['internal', 'flag --interface'],
      })
      expect((await settingsOf(['swift'], env))['sign-in']).to.deep.equal(['other', 'environment OS_CLOUD'])
      expect((await settingsOf(['sw', '--os-cloud', 'c']))['cloud']).to.deep.equal(['c', 'flag --os-cloud'])
    })
  })

  describe('list and remove', () => {
    it('lists what there is, and nothing at first', async () => {
      expect((await call(['remote', 'list'])).stderr).to.include('You have saved no remote.')
      expect(existsSync(dirname(file))).to.equal(false)
      await add('zz', '--preset', 'gcs')
      await addBox('--credential-process', 'op read geheim')
      const {remotes} = readJson<{remotes: {name: string; secret: string}[]}>(await call(['remote', 'list', '--json']))
      expect(remotes.map(({name, secret}) => [name, secret])).to.deep.equal([
        ['box', 'credential process'],
        ['zz', 'AWS chain'],
      ])
      expect((await call(['remote', 'list'])).stdout).to.match(/^box +s3 .*\nzz +s3 +Google/mu)
    })

    it('forgets one, with -y or after asking', async function () {
      needTerminal(this)
      await add('zz', '--preset', 'gcs')
      await addBox('--secret-env', 'X')
      expect((await call(['remote', 'remove', 'box'])).status).to.equal(2)
      const no = await talkToSkylift(['remote', 'remove', 'box'], {env: home.env, talk: [[/\[y\/N\]/u, 'n\r']]})
      expect(no.status).to.equal(130)
      expect(Object.keys(await readFileJson())).to.have.members(['zz', 'box'])
      expect((await call(['remote', 'remove', 'box', '-y'])).status).to.equal(0)
      expect(Object.keys(await readFileJson())).to.deep.equal(['zz'])
    })
  })

  describe('a file that was damaged', () => {
    for (const [what, text] of [
      ['is cut', '{"box": {"provider": "s3", "secret": {"value": "geheim'],
      ['is empty', ''],
    ] as const) {
      it(`that ${what} is told in one sentence and left as it is`, async () => {
        await mkdir(dirname(file), {recursive: true})
        await writeFile(file, text)
        for (const argv of [
          ['remote', 'list'],
          ['remote', 'show', 'box'],
          ['remote', 'add', 'new', '--preset', 'gcs', '--replace'],
          ['remote', 'remove', 'box', '-y'],
          ['container', 'list', 'box://', '-v'],
        ]) {
          const {status, stdout, stderr} = await call(argv)
          expect({status, stdout}, argv.join(' ')).to.deep.equal({status: 2, stdout: ''})
          expect(stderr)
            .to.match(/remotes\.json is damaged: it is not JSON\.\n {2}Repair it/u)
            .and.not.to.include('geheim')
        }
        expect(await readFile(file, 'utf8')).to.equal(text)
        // Who needs no saved remote does not notice.
        expect((await call(['remote', 'show', 's3'])).status).to.equal(0)
      })
    }

    it('keeps what it does not understand, and lets it be removed', async () => {
      await mkdir(dirname(file), {recursive: true})
      const strange = {provider: 'gopher', more: [1]}
      await writeFile(file, JSON.stringify({strange, half: {provider: 's3', secret: 7}, no: 7}))
      expect((await call(['container', 'list', 'strange://'])).stderr).to.include(
        'its provider is neither s3 nor swift',
      )
      expect((await call(['container', 'list', 'half://'])).stderr).to.include('secret has neither value nor env')
      await add('zz', '--preset', 'gcs')
      expect(await readFileJson()).to.deep.include({strange})
      const {stdout, status} = await call(['remote', 'list'])
      expect(status).to.equal(0)
      expect(stdout)
        .to.include('cannot be understood')
        .and.to.match(/^zz +s3/mu)
      expect((await call(['remote', 'remove', 'strange', '-y'])).status).to.equal(0)
      expect(Object.keys(await readFileJson())).to.deep.equal(['half', 'no', 'zz'])
    })

    it('names a folder that cannot be written', async () => {
      await writeFile(join(home.env['HOME'] ?? '', '.config'), 'a file')
      const {status, stderr} = await add('zz', '--preset', 'gcs')
      expect(stderr).to.match(/remotes\.json cannot be written \((?:ENOTDIR|EEXIST)\)/u)
      expect(status).to.equal(2)
    })
  })
})
