import {mkdir, rm, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift, startSwift} from '../servers/swift.ts'
import {listNames, makeContainer, signIn} from '../stores/swift/foreign-swift.ts'
import type {SwiftAccess} from '../stores/swift/foreign-swift.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {makeHome, readJson, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

const MIB = 1024 * 1024
const BOX = 'many'
const NAMES = [
  'a-b',
  'a.b',
  'a/x',
  'a/y/z',
  'a0',
  'B',
  '.hidden',
  'é',
  '\uFF61',
  '\u{1F600}',
  'p%20q',
  'n\nl',
  ' ',
  'big',
]

describe('skylift upload of folders, on Swift', function () {
  this.timeout(120_000)
  let home: Home
  let access: SwiftAccess

  before(async function () {
    needSwift(this)
    const {v1} = await startSwift()
    access = await signIn(v1)
    await makeContainer(access, BOX)
    home = await makeHome({ST_AUTH: v1.authUrl, ST_USER: v1.user, ST_KEY: v1.key})
    for (const name of NAMES) {
      await mkdir(join(home.folder, 'tree', name, '..'), {recursive: true})
      await writeFile(join(home.folder, 'tree', name), name)
    }
    await makeRandomFile(join(home.folder, 'tree/big'), 12 * MIB)
    for (let index = 0; index < 200; index++) await writeFile(join(home.folder, `tree/a/w${index}`), `${index}`)
  })

  const options = () => ({env: home.env, cwd: home.folder})
  const call = (...argv: string[]): Promise<Ending> =>
    runSkylift(['upload', 'tree', '-r', `swift://${BOX}/x/`, '-p', '5M', ...argv], options())
  const count = NAMES.length + 200

  it('stores every file under the name that it has', async () => {
    const {status, stderr} = await call()
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(new RegExp(`^${count} done: `, 'mu'))
    const names = (await listNames(access, BOX)).filter(name => !name.startsWith('x/a/w'))
    expect(names.toSorted()).to.deep.equal(NAMES.map(name => `x/${name}`).toSorted())
  })

  it('finds all of them in the listing, in its order: large ones by their checksum too', async () => {
    for (const rule of ['size', 'checksum']) {
      const ending = await call('--skip-unchanged', rule, '--json', '-q')
      expect(readJson(ending), rule).to.deep.include({ok: true, skipped: count, objects: []})
    }
    await writeFile(join(home.folder, 'tree/\uFF61'), 'oth')
    const {objects} = readJson<{objects: {key: string}[]}>(await call('--skip-unchanged', 'checksum', '--json', '-q'))
    expect(objects.map(({key}) => key)).to.deep.equal(['x/\uFF61'])
  })

  it('believes the listing about large objects too, when a run goes on', async () => {
    await symlink('nowhere', join(home.folder, 'tree/dead'))
    expect((await call()).status).to.equal(5)
    const again = await call('--json', '-q')
    await rm(join(home.folder, 'tree/dead'))
    expect(readJson(again)).to.deep.include({ok: false, skipped: count, objects: []})
  })

  it('goes on after a kill with what is left', async () => {
    const argv = ['upload', 'tree', '-r', `swift://${BOX}/y/`, '-p', '5M', '-c', '4']
    const running = startSkylift(argv, options())
    await running.said(/swift:\/\/many\/y\/a\/w50 /u)
    running.child.kill('SIGKILL')
    await running.ended
    const again = readJson<{objects: unknown[]; skipped: number}>(
      await runSkylift([...argv, '--json', '-q'], options()),
    )
    expect(again.skipped).to.be.at.least(50)
    expect(again.objects.length + again.skipped).to.equal(count)
    expect((await listNames(access, BOX)).filter(name => name.startsWith('y/'))).to.have.length(count)
  })
})
