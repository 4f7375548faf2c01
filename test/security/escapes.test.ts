import {createHash} from 'node:crypto'
import {chmod, mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {startHostileStore} from '../fuzz/hostile-store.ts'
import type {HostileStore} from '../fuzz/hostile-store.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {S3_TICKET} from '../stores/ticket/samples.ts'
import {accessEnv, callSkylift, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

/** Clears the screen, sets the title, rings, turns the line round, goes back to its beginning, begins another. */
const EVIL =
  '\u001B[2J\u001B]0;owned\u0007\u009B31m\u0085\u202Egpj.exe\u2066\u061C\r\n::error::forged\u2028##[error]forged'
/** What a line of a terminal may not hold; JSON may have line feeds between its values. */
// oxlint-disable-next-line no-control-regex
const RAW = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/u

function expectPlain(name: string, text: string): void {
  const found = RAW.exec(text)
  const around = JSON.stringify(text.slice(Math.max(0, (found?.index ?? 0) - 60), (found?.index ?? 0) + 20))
  expect(found, `${name} has ${around}`).to.equal(null)
}

/** No line that GitHub Actions would take for a command but those that are ours. */
function expectNoCommands(name: string, text: string): void {
  const ours = /^::(?:group::skylift upload|endgroup::|error title=(?:Upload of |Upload failed|Skylift failed))/u
  const commands = text.split(/\r\n|\r|\n/u).filter(line => /^[\s\u0085]*::/u.test(line) && !ours.test(line))
  expect(commands, name).to.deep.equal([])
  expect(text.replaceAll(/^::error title=(?:Upload|Skylift).*$/gmu, ''), name).to.not.include('##[')
}

function expectHarmless({stdout, stderr}: Pick<Ending, 'stdout' | 'stderr'>, env: Home['env']): void {
  for (const [name, text] of Object.entries({stdout, stderr})) {
    expectPlain(name, text)
    if (env['GITHUB_ACTIONS'] === 'true') expectNoCommands(name, text)
  }
}

describe('escapes of others', function () {
  this.timeout(60_000)
  let hostile: HostileStore
  let home: Home
  let summary: string

  before(async () => {
    hostile = await startHostileStore()
    home = await makeHome({
      AWS_ENDPOINT_URL: hostile.origin,
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: 'a-secret-access-key',
      AWS_REGION: 'us-east-1',
    })
    summary = join(home.folder, 'summary.md')
    await writeFile(join(home.folder, 'file'), 'x')
  })
  after(async () => {
    await hostile.close()
    await closeAll()
  })

  const github = (): Home['env'] => ({GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary})

  /** Runs it as it is; as JSON and with --debug in a log of GitHub Actions. */
  async function runAll(argv: readonly string[], env: Home['env'] = {}, status?: number): Promise<string> {
    const all: Ending[] = []
    for (const [flags, more] of [
      [[], {}],
      [['--json'], github()],
      [['--debug'], github()],
    ] as const) {
      const words = argv.map(word => (word.endsWith('file') ? join(home.folder, word) : word))
      const ending = await callSkylift([...words, ...flags], {env: {...home.env, ...env, ...more}})
      expectHarmless(ending, more)
      if (flags[0] === '--json') JSON.parse(ending.stdout)
      if (status !== undefined) expect(ending.status, ending.stderr).to.equal(status)
      all.push(ending)
    }
    return all.map(({stdout, stderr}) => stdout + stderr).join('\n')
  }

  const xml = (text: string): string => Array.from(text, char => `&#${char.codePointAt(0)};`).join('')
  /** Node lets no other controls through. */
  // oxlint-disable-next-line no-control-regex
  const header = EVIL.replaceAll(/[\u0000-\u001F\u007F]/gu, '')

  describe('in what a store says', () => {
    const refusal = (status: number): void =>
      hostile.reply({
        status,
        headers: [
          ['x-amz-request-id', header],
          ['x-trans-id', header],
          ['content-type', 'application/xml'],
        ],
        body: `<Error><Code>${xml(EVIL)}</Code><Message>${xml(EVIL)}</Message></Error>`,
      })

    for (const [name, argv] of [
      ['upload', ['upload', 'file', 's3://box/', '--retry-for', '1s']],
      ['container list', ['container', 'list', 's3://', '--retry-for', '1s']],
      ['container show', ['container', 'show', 's3://box', '--retry-for', '1s']],
      ['pending list', ['pending', 'list', 's3://box', '--retry-for', '1s']],
      ['cors show', ['cors', 'show', 's3://box', '--retry-for', '1s']],
      ['doctor', ['doctor', 's3://box', '--retry-for', '1s']],
    ] as const) {
      it(`no refusal reaches ${name} raw`, async () => {
        refusal(400)
        expect(await runAll(argv), 'the words of the store').to.match(/forged|not tell|does not|cannot/u)
      })
    }

    it('no name in a listing reaches the output raw', async () => {
      const key = `<Key>${xml(EVIL)}</Key>`
      const container = `<Buckets><Bucket><Name>${xml(EVIL)}</Name></Bucket></Buckets>`
      hostile.reply({status: 200, headers: [], body: `<ListAllMyBucketsResult>${container}</ListAllMyBucketsResult>`})
      expect(await runAll(['container', 'list', 's3://', '--retry-for', '1s'], {}, 0)).to.include('forged')
      const uploads = `<Upload>${key}<UploadId>${xml(EVIL)}</UploadId><Initiated>2026-01-01T00:00:00Z</Initiated></Upload>`
      const parts = '<ListPartsResult></ListPartsResult>'
      const listing = `<ListMultipartUploadsResult>${uploads}</ListMultipartUploadsResult>`
      hostile.reply(head => ({status: 200, headers: [], body: /uploadId=/u.test(head) ? parts : listing}))
      expect(await runAll(['pending', 'list', 's3://box', '--retry-for', '1s'], {}, 0)).to.include('forged')
    })

    it('no header of a container or object of Swift reaches the output raw', async () => {
      const swift = {OS_STORAGE_URL: `${hostile.origin}/v1/AUTH_a`, OS_AUTH_TOKEN: 'a-token'}
      const names = ['x-container-meta-note', 'x-storage-policy', 'x-container-read', 'x-trans-id', 'etag']
      const headers = [...names, 'x-container-meta-access-control-allow-origin'].map(name => [name, header] as const)
      hostile.reply({status: 200, headers, body: JSON.stringify([{name: EVIL}, {name: '::error::x'}])})
      await runAll(['container', 'show', 'swift://box', '--retry-for', '1s'], swift)
      await runAll(['cors', 'show', 'swift://box', '--retry-for', '1s'], swift)
      await runAll(['container', 'list', 'swift://', '--retry-for', '1s'], swift)
      await runAll(['verify', 'file', 'swift://box/k', '--retry-for', '1s'], swift)
      await runAll(['upload', 'file', 'swift://box/', '--retry-for', '1s'], swift)
    })

    it('no name of what was made, changed, compared or deleted does', async () => {
      const swift = {OS_STORAGE_URL: `${hostile.origin}/v1/AUTH_a`, OS_AUTH_TOKEN: 'a-token'}
      const place = `swift://${EVIL.replaceAll('/', '')}`
      const etag = createHash('md5').update('x').digest('hex')
      hostile.reply({status: 201, headers: [['etag', etag]], body: 'x'})
      for (const argv of [
        ['container', 'create', place],
        ['container', 'delete', place, '-y'],
        ['temp-url-key', 'set', place, '-y'],
        ['temp-url-key', 'rotate', place, '-y'],
        ['verify', 'file', `${place}/${EVIL}`],
      ]) {
        expect(await runAll([...argv, '--retry-for', '1s'], swift, 0)).to.include('forged')
      }
    })

    it('no catalog of a sign-in does', async () => {
      const endpoints = [EVIL, `${EVIL}2`].map(region => ({interface: 'public', region, url: EVIL}))
      const document = {token: {user: {name: EVIL}, catalog: [{type: 'object-store', name: EVIL, endpoints}]}}
      hostile.reply({status: 200, headers: [['x-subject-token', 'token']], body: JSON.stringify(document)})
      const env = {
        OS_AUTH_URL: `${hostile.origin}/v3`,
        OS_USERNAME: 'u',
        OS_PASSWORD: 'a-password',
        OS_PROJECT_NAME: 'p',
      }
      expect(await runAll(['container', 'list', 'swift://', '--retry-for', '1s'], env, 2)).to.match(/several regions/u)
      const message = {error: {message: EVIL}}
      hostile.reply({status: 400, headers: [], body: JSON.stringify(message)})
      expect(await runAll(['container', 'list', 'swift://', '--retry-for', '1s'], env, 2)).to.include('forged')
    })
  })

  describe('in what a person was given', () => {
    it('a ticket', async () => {
      const target = {remote: `s3`, container: EVIL, key: EVIL}
      // oxlint-disable-next-line no-control-regex
      const words = EVIL.replaceAll(/[\u0000-\u001F\u007F]/gu, '')
      const link = {...S3_TICKET.link, filename: words}
      const ticket = {...S3_TICKET, target, contentType: words, uploadId: words, link}
      await writeFile(join(home.folder, 'ticket.json'), JSON.stringify(ticket))
      expect(await runAll(['ticket', 'show', join(home.folder, 'ticket.json')], {}, 0)).to.include('forged')
      await writeFile(join(home.folder, 'odd.json'), JSON.stringify({...ticket, [EVIL]: 1}))
      await runAll(['ticket', 'show', join(home.folder, 'odd.json')], {}, 2)
      await runAll(['upload', 'file', `ticket:${join(home.folder, 'ticket.json')}`, '--dry-run'])
    })

    it('clouds.yaml', async () => {
      const file = join(home.folder, 'clouds.yaml')
      const env = {OS_CLIENT_CONFIG_FILE: file}
      await writeFile(file, JSON.stringify({clouds: {[EVIL]: {}, two: {auth: {auth_url: EVIL}, auth_type: EVIL}}}))
      for (const cloud of ['none', 'two', EVIL]) {
        await runAll(['container', 'list', 'swift://', '--os-cloud', cloud], env, 2)
      }
      await writeFile(file, `clouds: [${EVIL}\n  : {`)
      await runAll(['container', 'list', 'swift://', '--os-cloud', 'x'], env, 2)
    })

    it('words of the command line', async () => {
      for (const argv of [
        ['upload', EVIL, 's3://box/'],
        ['upload', 'file', EVIL],
        ['upload', 'file', `s3://box/${EVIL}`, '--dry-run'],
        ['upload', 'file', `https://h/${EVIL}`],
        ['upload', 'file', 's3://box/', '--part-size', EVIL],
        ['upload', 'file', 's3://box/', '--state-dir', EVIL.replaceAll('\0', ''), '--dry-run'],
        ['container', 'list', `${EVIL}://`],
        ['ticket', 'show', EVIL],
        ['remote', 'show', EVIL],
        ['upload', `--${EVIL}`],
      ]) {
        await runAll(argv)
      }
      // Only the program itself answers to a command that it does not know.
      for (const flags of [[], ['--json']]) {
        const env = {...home.env, ...github()}
        expectHarmless(await runSkylift([EVIL, ...flags], {env}), env)
      }
    })
  })

  it('in names of files: neither the log, nor annotations, nor the summary of the step, nor NDJSON, nor results', async () => {
    const sandbox = await openSandbox()
    await openClient(sandbox).send(new CreateBucketCommand({Bucket: 'box'}))
    const env = {...home.env, ...accessEnv(sandbox), ...github()}
    const folder = join(home.folder, 'names')
    await mkdir(folder)
    const names = [
      EVIL.replaceAll('/', ''),
      '::error::forged',
      ' ::set-output name=x::y',
      '##[set-output name=x]y',
      '|`<img src=x>@all',
    ]
    for (const name of names) await writeFile(join(folder, name), 'x')
    // Whoever may be root: a link that leads nowhere fails for everybody.
    const {symlink} = await import('node:fs/promises')
    for (const name of names) await symlink('nowhere', join(folder, `${name} lost`))
    await chmod(folder, 0o755)
    for (const progress of ['lines', 'json']) {
      const argv = ['upload', '-r', 'names', `s3://box/${progress}/`, '--progress', progress, '--results', 'results']
      const ending = await runSkylift(argv, {env, cwd: home.folder})
      expect(ending.status, ending.stderr).to.be.above(0)
      expectHarmless(ending, env)
      if (progress === 'json') for (const line of ending.stderr.trim().split('\n')) JSON.parse(line)
      else expect(ending.stderr).to.match(/^::error title=Upload of /mu)
      const results = await readFile(join(home.folder, 'results'), 'utf8')
      expectPlain('the results', results)
      expect(
        results
          .trim()
          .split('\n')
          .map(line => (JSON.parse(line) as {status: string}).status),
      ).to.include.members(['stored', 'failed'])
    }
    const text = await readFile(summary, 'utf8')
    expectPlain('the summary', text)
    expect(text).to.not.match(/<img|^\|[^|]*\|[^|]*\|[^|]+\|[^|]*\|$\n(?!\|)/mu)
    expect(
      text
        .split('\n')
        .filter(line => line.startsWith('| <code>'))
        .every(line => (line.match(/\|/gu) ?? []).length === 3),
    ).to.equal(true)
  })
})
