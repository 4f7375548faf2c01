import {spawnSync} from 'node:child_process'
import {lstatSync, readdirSync} from 'node:fs'
import {chmod, chown, mkdir, readFile, stat, symlink, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {fileFindings} from '../../src/cli/findings-file.ts'
import {BUCKET, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {slow} from '../support/faults.ts'
import {BIN, endSandboxes, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

/** Mode bits and owners stop everybody but root. */
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']
const NOBODY = 65_534

/** Returns what is wrong with the modes below a folder: anything that others may read or change. */
function findOpen(folder: string): string[] {
  const found = readdirSync(folder, {recursive: true, withFileTypes: true})
  return [folder, ...found.map(each => join(each.parentPath, each.name))].filter(path => {
    const {mode} = lstatSync(path)
    return (mode & 0o077) !== 0
  })
}

describe('files that hold what others must not see', function () {
  this.timeout(60_000)
  let arena: Arena
  let home: Home
  let large: string
  let small: string
  let keys = 0

  before(async function () {
    skipUnless(this, process.getuid !== undefined, 'Windows has no mode bits')
    arena = await openArena()
    large = await arena.makeFile(21 * MIB)
    small = await arena.makeFile(10)
  })
  after(async () => {
    await arena?.close()
    await endSandboxes()
  })
  beforeEach(async () => {
    arena.proxy.clear()
    home = await arena.makeHome()
  })

  const target = (): string => `s3://${BUCKET}/object-${++keys}`

  for (const umask of ['000', '022']) {
    describe(`under the umask ${umask}`, () => {
      const through = ['sh', '-c', `umask ${umask} && exec "$@"`, 'sh']
      const run = (argv: readonly string[], stdin?: Buffer): Promise<Ending> =>
        runSkylift(argv, {env: home.env, cwd: home.folder, through, ...(stdin === undefined ? {} : {stdin})})

      async function expectDone(argv: readonly string[], stdin?: Buffer): Promise<void> {
        const {status, stdout, stderr} = await run(argv, stdin)
        expect(status, stdout + stderr).to.equal(0)
      }

      it('journal, lock and findings of an upload that is under way, and after a kill', async () => {
        arena.proxy.inject({operation: 'part', fault: slow(2_000_000), times: Infinity})
        const argv = ['upload', large, target(), '-p', '5M']
        const running = startSkylift(argv, {env: home.env, through})
        await arena.proxy.until(() => arena.proxy.count('part') > 0)
        expect(readdirSync(join(home.stateFolder, 'uploads')).join(' '))
          .to.match(/\.ndjson/u)
          .and.match(/\.lock/u)
        expect(findOpen(home.stateFolder)).to.deep.equal([])
        running.child.kill('SIGKILL')
        await running.ended
        expect(findOpen(home.stateFolder)).to.deep.equal([])
      })

      it('the journal of a run over folders', async () => {
        await mkdir(join(home.folder, 'many'))
        for (const name of ['a', 'b', 'c']) await writeFile(join(home.folder, 'many', name), name)
        arena.proxy.inject({operation: 'put', fault: slow(1), times: Infinity})
        const running = startSkylift(['upload', '-r', 'many', `${target()}/`], {
          env: home.env,
          cwd: home.folder,
          through,
        })
        await arena.proxy.until(() => arena.proxy.count('put') > 0)
        expect(readdirSync(join(home.stateFolder, 'runs')).join(' ')).to.include('.ndjson')
        expect(findOpen(home.stateFolder)).to.deep.equal([])
        running.child.kill('SIGKILL')
        await running.ended
      })

      it('tickets, pages and results, also where a readable file of that name was there', async () => {
        const results = join(home.folder, 'results')
        await writeFile(results, 'old', {mode: 0o644})
        await expectDone(['upload', small, target(), '--results', 'results', '--link'])
        expect(await readFile(results, 'utf8')).to.match(/^\{"v":1,.*signature=/iu)
        await expectDone(['ticket', 'create', target(), '--size', '10M', '-o', 'ticket.json'])
        await expectDone(['page', 'create', `s3://${BUCKET}/in/`, '--origin', 'null', '-o', 'page.html'])
        for (const name of ['results', 'ticket.json', 'page.html']) {
          expect((await stat(join(home.folder, name))).mode & 0o777, name).to.equal(0o600)
        }
      })

      it('a receipt holds no secret, and nobody else can change it', async () => {
        await expectDone(['upload', small, target(), '--receipt', 'receipt.json'])
        expect((await stat(join(home.folder, 'receipt.json'))).mode & 0o777).to.equal(0o644)
      })

      it('saved remotes', async () => {
        const argv = ['remote', 'add', 'mine', '--endpoint-url', 'http://127.0.0.1:1', '--region', 'us-east-1']
        await expectDone([...argv, '--access-key-id', 'AK', '--secret-stdin'], Buffer.from('a-secret'))
        const {env} = home
        const config = join(env['HOME'] ?? '', '.config', 'skylift')
        expect(readdirSync(config)).to.include('remotes.json')
        expect(findOpen(config)).to.deep.equal([])
      })

      it('the data of the sandbox', async () => {
        await expectDone(['container', 'create', 'sandbox://box'])
        await expectDone(['upload', small, 'sandbox://box/'])
        await expectDone(['upload', large, 'sandbox://box/', '-p', '5M'])
        expect(findOpen(home.sandboxFolder)).to.deep.equal([])
      })
    })
  }

  describe('in a folder that others can write in', () => {
    let shared: string
    let victim: string

    before(function () {
      skipUnless(this, process.getuid?.() === 0, 'Only root can be somebody else (setpriv)')
      const help = [...AS_NOBODY, process.execPath, BIN, 'help']
      skipUnless(
        this,
        spawnSync(help[0] ?? '', help.slice(1)).status === 0,
        'Owners are tried as nobody: needs setpriv (util-linux), and node and this folder readable by all',
      )
    })
    beforeEach(async () => {
      shared = join(home.folder, 'shared')
      await mkdir(shared)
      await chmod(shared, 0o777)
      // What whoever plants a link would like to have overwritten: it is the person's own.
      victim = join(home.folder, 'victim')
      await writeFile(victim, 'precious', {mode: 0o600})
      await chown(victim, NOBODY, NOBODY)
      await chmod(dirname(large), 0o755)
      await chmod(large, 0o644)
      await chmod(small, 0o644)
    })

    /** The person is nobody; the one who plants is root, who owns whatever the test makes. */
    const run = (argv: readonly string[], env = home.env): Promise<Ending> =>
      runSkylift(argv, {env, cwd: shared, through: AS_NOBODY})
    const stateEnv = (): Home['env'] => ({...home.env, SKYLIFT_STATE_DIR: join(shared, 'state')})

    async function expectUntouched(): Promise<void> {
      expect(await readFile(victim, 'utf8')).to.equal('precious')
    }

    for (const [flag, what] of [
      ['--results', /The results "x" cannot be written/u],
      ['--receipt', /The receipt "x" cannot be written/u],
    ] as const) {
      it(`${flag} follows no link`, async () => {
        await symlink(victim, join(shared, 'x'))
        const {status, stderr} = await run(['upload', small, target(), flag, 'x'])
        expect(stderr).to.match(what)
        expect(status).to.equal(2)
        await expectUntouched()
      })

      it(`${flag} takes no file of somebody else, who could go on writing in it`, async () => {
        await writeFile(join(shared, 'x'), 'planted')
        await chmod(join(shared, 'x'), 0o666)
        const {status, stderr} = await run(['upload', small, target(), flag, 'x'])
        expect(stderr).to.match(what)
        expect(status).to.equal(2)
        expect(await readFile(join(shared, 'x'), 'utf8')).to.equal('planted')
      })
    }

    for (const argv of [
      ['ticket', 'create', 's3://arena/t', '--size', '10M'],
      ['page', 'create', 's3://arena/in/', '--origin', 'null'],
    ]) {
      it(`${argv[0]} create -o follows no link`, async () => {
        await symlink(victim, join(shared, 'x'))
        const {status, stderr} = await run([...argv, '-o', 'x'])
        expect(status, stderr).to.equal(6)
        await expectUntouched()
      })
    }

    it('ticket renew replaces a link, and does not follow it', async () => {
      await run(['ticket', 'create', target(), '--size', '10M', '-o', 'ticket.json'])
      const ticket = await readFile(join(shared, 'ticket.json'), 'utf8')
      await writeFile(victim, ticket)
      await symlink(victim, join(shared, 'x'))
      const {status, stderr} = await run(['ticket', 'renew', 'x'])
      expect(status, stderr).to.equal(0)
      expect(await readFile(victim, 'utf8')).to.equal(ticket)
      expect(lstatSync(join(shared, 'x')).isFile()).to.equal(true)
    })

    it('a journal folder that is a link is not used: the upload goes on without', async () => {
      await mkdir(join(shared, 'state'), {mode: 0o777})
      await chmod(join(shared, 'state'), 0o777)
      const elsewhere = join(home.folder, 'elsewhere')
      await mkdir(elsewhere)
      await chown(elsewhere, NOBODY, NOBODY)
      for (const name of ['uploads', 'runs']) await symlink(elsewhere, join(shared, 'state', name))
      const {status, stderr} = await run(['upload', large, target(), '-p', '5M'], stateEnv())
      expect(status, stderr).to.equal(0)
      expect(stderr).to.match(/cannot be resumed after a kill: .*uploads is a link/u)
      expect(readdirSync(elsewhere)).to.deep.equal([])
    })

    it('a journal folder of somebody else is not used: the upload goes on without', async () => {
      await mkdir(join(shared, 'state', 'uploads'), {recursive: true})
      for (const name of ['state', 'state/uploads']) await chmod(join(shared, name), 0o777)
      const {status, stderr} = await run(['upload', large, target(), '-p', '5M'], stateEnv())
      expect(status, stderr).to.equal(0)
      expect(stderr).to.match(/cannot be resumed after a kill: .*uploads belongs to somebody else/u)
      expect(readdirSync(join(shared, 'state', 'uploads'))).to.deep.equal([])
    })

    it('a journal that was planted is not believed', async () => {
      const key = target()
      arena.proxy.inject({operation: 'part', fault: slow(2_000_000), times: Infinity})
      const running = startSkylift(['upload', large, key, '-p', '5M'], {
        env: stateEnv(),
        cwd: shared,
        through: AS_NOBODY,
      })
      await arena.proxy.until(() => arena.proxy.count('part') > 0)
      running.child.kill('SIGKILL')
      await running.ended
      arena.proxy.clear()
      const [name = ''] = readdirSync(join(shared, 'state', 'uploads')).filter(each => each.endsWith('.ndjson'))
      const journal = join(shared, 'state', 'uploads', name)
      await chown(journal, 0, 0)
      await chmod(journal, 0o644)
      const {status, stderr} = await run(['upload', large, key, '-p', '5M'], stateEnv())
      expect(status, stderr).to.equal(0)
      expect(stderr).to.match(/belongs to somebody else/u)
    })

    it('findings are neither written through a link nor read from somebody else', async () => {
      const state = join(shared, 'state')
      await mkdir(state)
      await writeFile(join(state, 'endpoints.json'), '{"http://h": {"checksum": "crc32"}}')
      await chown(join(state, 'endpoints.json'), NOBODY, NOBODY)
      expect(fileFindings(state).get('http://h')).to.deep.equal({})
      await symlink(victim, join(state, 'linked.json'))
      const linked = join(home.folder, 'linked')
      await mkdir(linked)
      await symlink(victim, join(linked, 'endpoints.json'))
      fileFindings(linked).learn('http://h', {checksum: 'md5'})
      await expectUntouched()
      expect(fileFindings(linked).get('http://h')).to.deep.equal({checksum: 'md5'})
    })

    for (const [what, plant] of [
      ['a link', (folder: string) => symlink(home.folder, folder)],
      ['a folder of somebody else', (folder: string) => mkdir(folder).then(() => chmod(folder, 0o777))],
    ] as const) {
      it(`the sandbox takes ${what} for none of its own`, async () => {
        await plant(join(shared, 'sandbox'))
        const {status, stderr} = await run(['sandbox', '--idle', '1s'], {
          ...home.env,
          SKYLIFT_SANDBOX_DIR: join(shared, 'sandbox'),
        })
        expect(status, stderr).to.equal(2)
        expect(stderr).to.match(/is a link or a file|belongs to somebody else/u)
      })
    }

    it('a lock that became a link is not written through when its holder touches it', async () => {
      const {takeLock} = await import('../../src/state/lock.ts')
      const {Failure} = await import('../../src/core/failure.ts')
      const path = join(shared, 'x.lock')
      await symlink(victim, path)
      const taking = takeLock(path, () => new Failure('busy', 'Held.'))
      expect(await taking.catch((error: Error) => error.message)).to.match(/is a link/u)
      await expectUntouched()
    })
  })
})
