import {execFile} from 'node:child_process'
import {mkdir, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {skipUnless} from '../support/skip.ts'
import {readBlocks} from './markdown.ts'
import {readPage, ROOT} from './pages.ts'
import {closeShells, openShell} from './shell.ts'
import type {Shell} from './shell.ts'

const TSX = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href

/** What an example prints, where that is what it is about. */
const SAYS: readonly (readonly [example: RegExp, output: RegExp])[] = [
  [/verified by/u, /^17825792 bytes, verified by crc32\n$/u],
  [/let progress/u, /^17825792 of 17825792 bytes, 0 retries\n$/u],
  [/AbortController/u, /^(?:5242880|10485760) bytes are there\n$/u],
  [/nobody-made-this/u, /^There is no container "nobody-made-this"\..*\nnot-found nobody-made-this \S+\n$/u],
  [/createContainer/u, /^made\n2030\/summary\.txt 12\nhttp\S+ \S+Z\n$/u],
  [/formatTicket/u, /\n\d{3,} 2\d{3}-\d\d-\d\dT\S+Z\n$/u],
]

describe('the examples of docs/library.md', function () {
  this.timeout(120_000)
  const blocks = readBlocks(readPage('docs/library.md').text).filter(({language}) => language === 'ts')
  let shell: Shell

  before(async function () {
    skipUnless(this, process.platform !== 'win32', 'The examples run in a shell of Linux or macOS')
    shell = await openShell()
    await shell.makeContainers(['s3://images', 's3://artifacts', 's3://inbox'])
    await mkdir(join(shell.folder, 'node_modules'))
    await symlink(ROOT, join(shell.folder, 'node_modules', 'skylift'))
    await writeFile(join(shell.folder, 'package.json'), '{"type": "module"}')
    for (const [at, {code}] of blocks.entries()) {
      await writeFile(join(shell.folder, `example-${at}.ts`), shell.stand(code))
    }
  })
  after(closeShells)

  it('compile as strictly as anybody wants', async () => {
    const config = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        paths: {skylift: [join(ROOT, 'src/index.ts')]},
        typeRoots: [join(ROOT, 'node_modules/@types')],
        types: ['node'],
      },
      include: ['example-*.ts'],
    }
    await writeFile(join(shell.folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const output = await promisify(execFile)(process.execPath, [tsc, '-p', shell.folder], {cwd: shell.folder}).then(
      () => '',
      (error: unknown) => (error as {stdout: string}).stdout,
    )
    // What is wrong in our own files is told by `npm run check`.
    expect(output.split('\n').filter(line => line.startsWith('example-'))).to.deep.equal([])
  })

  for (const [at, {code, notRun, line}] of blocks.entries()) {
    if (notRun !== undefined) continue
    it(`line ${line}: ${code.split('\n', 1)[0]}`, async () => {
      const {status, stdout, output} = await shell.run(`'${process.execPath}' --import ${TSX} example-${at}.ts`)
      expect(status, output).to.equal(0)
      for (const [example, words] of SAYS) if (example.test(code)) expect(stdout).to.match(words)
    })
  }

  it('say what they should', () => {
    const unknown = SAYS.filter(([example]) => !blocks.some(({code}) => example.test(code)))
    expect(unknown).to.deep.equal([])
  })
})
