import {execFileSync} from 'node:child_process'
import {mkdir, readFile, rename, rm, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

const MIB = 1024 * 1024

interface ResultLine {
  readonly status: string
  readonly source: string
  readonly path?: string
  readonly key?: string
  readonly code?: string
  readonly reason?: string
  readonly url?: string
  readonly link?: string
  readonly size?: number
  readonly message?: string
}

describe('skylift upload, of many files', () => {
  let home: Home
  let client: S3Client
  let buckets = 0
  let box: string

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    home = await makeHome(accessEnv(sandbox))
    for (const [name, content] of Object.entries({
      'dist/index.html': 'index',
      'dist/a.js': 'a',
      'dist/a/a.js': 'aa',
      'dist/a/b/c.map': 'map',
      'dist/.well-known/key': 'key',
      'dist/ä \u{1F600}.txt': 'odd',
      'other/index.html': 'another',
      'star*.txt': 'star',
      'starry.txt': 'starry',
    })) {
      await mkdir(join(home.folder, name, '..'), {recursive: true})
      await writeFile(join(home.folder, name), content)
    }
  })
  beforeEach(async () => {
    box = `box-${++buckets}`
    await client.send(new CreateBucketCommand({Bucket: box}))
  })
  after(closeAll)

  /** Runs it beside the files, or in a folder there; TARGET stands for a folder of an empty bucket. */
  const run = (
    argv: readonly string[],
    options: {stdin?: string; env?: Record<string, string>; cwd?: string} = {},
  ): Promise<Ending> =>
    runSkylift(['upload', ...argv.map(word => word.replace('TARGET', `s3://${box}`))], {
      env: {...home.env, ...options.env},
      cwd: join(home.folder, options.cwd ?? ''),
      ...(options.stdin === undefined ? {} : {stdin: Buffer.from(options.stdin)}),
    })
  const listKeys = async (): Promise<string[]> => {
    const {Contents = []} = await client.send(new ListObjectsV2Command({Bucket: box}))
    return Contents.map(({Key = ''}) => Key)
  }
  const read = async (Key: string): Promise<string> => {
    const {Body} = await client.send(new GetObjectCommand({Bucket: box, Key}))
    return (await Body?.transformToString()) ?? ''
  }
  const readResults = async (name: string): Promise<ResultLine[]> =>
    (await readFile(join(home.folder, name), 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as ResultLine)

  const ALL = ['.well-known/key', 'a.js', 'a/a.js', 'a/b/c.map', 'index.html', 'ä \u{1F600}.txt']
  const ROWS: readonly (readonly [what: string, argv: readonly string[], keys: readonly string[]])[] = [
    ['a folder: its contents', ['dist', '-r', 'TARGET/x/'], ALL.map(key => `x/${key}`)],
    ['a slash behind a folder means nothing', ['dist/', '-r', 'TARGET'], ALL],
    ['a dot is a folder too', ['./dist/../dist/.', '-r', 'TARGET/x/'], ALL.map(key => `x/${key}`)],
    ['a folder and a file', ['dist/a', 'other/index.html', '-r', 'TARGET'], ['a.js', 'b/c.map', 'index.html']],
    ['a glob: paths below its beginning', ['dist/**/*.js', 'TARGET/x/'], ['x/a.js', 'x/a/a.js']],
    ['a glob leaves dotfiles out', ['dist/**', 'TARGET'], ALL.slice(1)],
    ['a glob of one level', ['dist/*', 'TARGET'], ['a.js', 'index.html', 'ä \u{1F600}.txt']],
    [
      'with -r the folders, too, that a glob matches',
      ['dist/*', '-r', 'TARGET/x/'],
      ALL.slice(1).map(key => `x/${key}`),
    ],
    ['nothing below a folder that only lies on its way', ['dist/*/*', '-r', 'TARGET'], ['a/a.js', 'a/b/c.map']],
    ['hidden files of a folder that matches', ['dis?', '-r', 'TARGET'], ALL.map(key => `dist/${key}`)],
    ['what lies in folders alone, by a slash at the end', ['dist/*/', '-r', 'TARGET'], ['a/a.js', 'a/b/c.map']],
    [
      'no hidden file by a glob that goes everywhere',
      ['**', '-r', 'TARGET', '--include', '/dist/'],
      ALL.slice(1).map(key => `dist/${key}`),
    ],
    [
      'no hidden file by one of two globs that does',
      ['{**,oth?r}', '-r', 'TARGET', '--include', '/dist/', '--include', '/other/'],
      [...ALL.slice(1).map(key => `dist/${key}`), 'other/index.html'],
    ],
    ['what --exclude leaves of it', ['dist/*', '-r', 'TARGET', '--exclude', 'b/', '--exclude', '/*.*'], ['a/a.js']],
    ['braces', ['dist/{a,index}.{js,html}', 'TARGET'], ['a.js', 'index.html']],
    ['globs that overlap', ['dist/**/*.js', 'dist/*.js', 'TARGET'], ['a.js', 'a/a.js']],
    ['a file whose name is a glob is that file', ['star*.txt', 'TARGET'], ['star*.txt']],
    [
      '--exclude',
      ['dist', '-r', 'TARGET', '--exclude', '*.map', '--exclude', '/a.js'],
      ['.well-known/key', 'a/a.js', 'index.html', 'ä \u{1F600}.txt'],
    ],
    [
      '--exclude of a folder',
      ['dist', '-r', 'TARGET', '--exclude', 'a/'],
      ['.well-known/key', 'a.js', 'index.html', 'ä \u{1F600}.txt'],
    ],
    [
      '--include',
      ['dist', '-r', 'TARGET', '--include', '*.js', '--include', '*.html'],
      ['a.js', 'a/a.js', 'index.html'],
    ],
    ['--include and --exclude', ['dist', '-r', 'TARGET', '--include', '*.js', '--exclude', 'a/'], ['a.js']],
    [
      'filters of a file that is named',
      ['dist/a.js', 'dist/index.html', 'TARGET', '--exclude', '*.js'],
      ['index.html'],
    ],
  ]
  for (const [what, argv, keys] of ROWS) {
    it(`takes ${what}`, async () => {
      const {status, stderr} = await run([...argv, '-q'])
      expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
      expect(await listKeys()).to.deep.equal(keys)
    })
  }

  it('takes what an --ignore-file leaves', async () => {
    await writeFile(join(home.folder, 'rules'), '# comment\n*.js\n!/a.js\n\n.well-known\n')
    expect((await run(['dist', '-r', 'TARGET', '--ignore-file', 'rules'])).status).to.equal(0)
    expect(await listKeys()).to.deep.equal(['a.js', 'a/b/c.map', 'index.html', 'ä \u{1F600}.txt'])
    const missing = await run(['dist', '-r', 'TARGET', '--ignore-file', 'no-rules'])
    expect(missing).to.include({
      status: 2,
      stderr: 'The ignore file "no-rules" cannot be read.\n  Check the settings named here.\n',
    })
  })

  const LISTS: readonly (readonly [what: string, list: string])[] = [
    ['lines', 'dist/a.js\n./dist//a/a.js\n\ndist/ä \u{1F600}.txt'],
    ['lines of Windows', 'dist/a.js\r\ndist/a/a.js\r\ndist/ä \u{1F600}.txt\r\n'],
    ['zero bytes', 'dist/ä \u{1F600}.txt\0dist/a/a.js\0./dist/a.js\0dist/a.js\0'],
  ]
  for (const [what, list] of LISTS) {
    it(`takes a list of ${what}, each file with its path`, async () => {
      await writeFile(join(home.folder, 'list'), list)
      const keys = ['y/dist/a.js', 'y/dist/a/a.js', 'y/dist/ä \u{1F600}.txt']
      expect((await run(['TARGET/y/', '--from-file', 'list'])).status).to.equal(0)
      expect(await listKeys()).to.deep.equal(keys)
      expect((await run(['TARGET/z/', '--from-file', '-'], {stdin: list})).status).to.equal(0)
      expect(await listKeys()).to.deep.equal([...keys, ...keys.map(key => key.replace('y', 'z'))])
    })
  }

  it('counts a list from the folder that is named', async () => {
    const list = `a.js\n${join(home.folder, 'dist/a/a.js')}\n`
    expect((await run(['dist', 'TARGET', '--from-file', '-'], {stdin: list})).status).to.equal(0)
    expect(await listKeys()).to.deep.equal(['a.js', 'a/a.js'])
  })

  it('fails what a list names wrongly, one by one, and sends the rest', async () => {
    const list = 'dist/a.js\nnowhere\n../secret\n/etc/hostname\ndist/a\n'
    const {status, stderr} = await run(['TARGET', '--from-file', '-', '--results', 'list.ndjson'], {stdin: list})
    expect(status).to.equal(3)
    expect(stderr).to.match(/There is no file "nowhere"/u)
    expect(stderr).to.match(/"\/etc\/hostname" does not lie in this folder/u)
    expect(stderr).to.match(/"\.\.\/secret" does not lie in this folder/u)
    expect(stderr).to.match(/"dist\/a" is a folder/u)
    expect(await listKeys()).to.deep.equal(['dist/a.js'])
    // What has no key is not given one afterwards either.
    const again = await run(['TARGET', '--retry-failed', 'list.ndjson'])
    expect(again.status).to.equal(3)
    expect(await listKeys()).to.deep.equal(['dist/a.js'])
  })

  it('reads a list as Windows writes it', async () => {
    const stdin = '\uFEFFdist/a.js\r\n\r\ndist/index.html\r\n'
    expect((await run(['TARGET', '--from-file', '-'], {stdin})).status).to.equal(0)
    expect(await listKeys()).to.deep.equal(['dist/a.js', 'dist/index.html'])
  })

  it('refuses before anything is sent what can be known', async () => {
    await symlink('circle', join(home.folder, 'circle'))
    const rows: readonly (readonly [argv: readonly string[], status: number, words: RegExp])[] = [
      [['dist', 'TARGET/'], 2, /"dist" is a folder\.\n {2}Upload what is in it with -r/u],
      [['dist', '-r', 'TARGET/x'], 2, /cannot all become "s3:\/\/box-\d+\/x"\.\n {2}End the target with a slash/u],
      [['dist/a.js', 'dist/**/*.nix', 'TARGET'], 5, /Nothing matches "dist\/\*\*\/\*\.nix"\./u],
      [['dist/[a]', 'TARGET'], 5, /No file matches "dist\/\[a\]"\.\n {2}Folders do: take what is in them with -r\./u],
      [['nowhere/*', 'dist/a.js', 'TARGET'], 5, /Nothing matches "nowhere\/\*"\./u],
      [['dist', 'nowhere', '-r', 'TARGET'], 5, /There is no file "nowhere"\./u],
      [['dist/index.html', 'other/index.html', 'TARGET'], 2, /would both become "index\.html"/u],
      [['TARGET', '--from-file', 'no-list'], 5, /There is no list "no-list"\./u],
      [
        ['nowhere', 'TARGET', '--from-file', 'other/index.html'],
        5,
        /There is no folder "nowhere"\.\n {2}Check its name/u,
      ],
      [[`nowhere/{${'long-name,'.repeat(40)}x}`, 'TARGET'], 5, /Nothing matches "nowhere\/\{long-name/u],
      [['other/index.html/*', 'TARGET'], 5, /Nothing matches "other\/index\.html\/\*"/u],
      [['n'.repeat(300), 'TARGET'], 2, /"n{300}" is too long a path for this system\./u],
      [['circle', 'TARGET'], 5, /The symbolic link "circle" leads nowhere\./u],
      [['a', 'b', 'TARGET', '--from-file', 'list'], 2, /one folder in which they lie at most/u],
      [['TARGET', '--retry-failed', 'no-results'], 5, /There is no file of results "no-results"\./u],
      [['dist/a.js', 'TARGET', '--retry-failed', 'x'], 2, /takes the files of the results/u],
      [['TARGET', '--retry-failed', 'dist/index.html'], 2, /Line 1 of "dist\/index\.html" is not a result/u],
      [['dist', '-r', 'TARGET', '--receipt', 'r'], 2, /--receipt is for one file/u],
      [['dist', '-r', 'TARGET', '--results', 'nowhere/r'], 2, /The results "nowhere\/r" cannot be written/u],
    ]
    for (const [argv, status, words] of rows) {
      const ending = await run(argv)
      expect(ending.stderr, argv.join(' ')).to.match(words)
      expect(ending.status, argv.join(' ')).to.equal(status)
    }
    expect(await listKeys()).to.deep.equal([])
  })

  it('refuses both of two files that would become one object, and sends the rest', async () => {
    const {status, stderr} = await run(['dist', 'other', '-r', 'TARGET'])
    expect(status).to.equal(2)
    expect(stderr).to.match(/"dist\/index\.html" and "other\/index\.html" would both become "index\.html"\./u)
    expect(stderr).to.match(/"other\/index\.html" and "dist\/index\.html" would both become "index\.html"\./u)
    expect(await listKeys()).to.deep.equal(ALL.filter(key => key !== 'index.html'))
  })

  it('prints the plan of a folder and sends nothing', async () => {
    const {status, stdout} = await run(['dist', '-r', 'TARGET/x/', '-n'])
    expect(status).to.equal(0)
    expect(stdout.split('\n')[1]).to.equal(`dist/a.js -> s3://${box}/x/a.js  1 B, whole`)
    const {plans} = readJson<{plans: {source: string}[]}>(await run(['dist', '-r', 'TARGET/x/', '-n', '--json']))
    expect(plans.map(({source}) => source)).to.deep.equal(ALL.map(key => `dist/${key}`))
    expect(await listKeys()).to.deep.equal([])
  })

  it('says in the end what a folder came to', async () => {
    expect((await run(['dist', '-r', 'TARGET'])).stderr).to.match(/^6 done: 17 B sent in \S+ m?s\n$/u)
    const again = await run(['dist', '-r', 'TARGET', '--skip-unchanged', 'checksum'])
    expect(again).to.include({status: 0, stdout: ''})
    expect(again.stderr).to.match(/^0 done, 6 there already: 0 B sent in \S+ m?s\n$/u)
  })

  it('keeps its word of whole or not at all for an empty folder: nothing is to be done', async () => {
    await mkdir(join(home.folder, 'empty'), {recursive: true})
    expect(await run(['empty', '-r', 'TARGET', '-q'])).to.include({status: 0, stdout: '', stderr: ''})
    const none = {status: 0, stdout: '', stderr: 'No file was found, so nothing was uploaded.\n'}
    expect(await run(['empty', '-r', 'TARGET'])).to.include(none)
    expect(await run(['TARGET', '--from-file', '-'])).to.include(none)
    expect(await run(['dist/a.js', 'TARGET/a', '--exclude', '*.js'])).to.include(none)
  })

  describe('--skip-unchanged', () => {
    const skippedOf = async (argv: readonly string[]): Promise<{sent: string[]; skipped: number}> => {
      const ending = await run([...argv, '--json', '-q'])
      expect(ending.status, ending.stderr).to.equal(0)
      const {objects, skipped = 0} = readJson<{objects: {key: string}[]; skipped?: number}>(ending)
      return {sent: objects.map(({key}) => key).toSorted(), skipped}
    }

    it('size: sends what is new or has another size', async () => {
      await run(['dist', '-r', 'TARGET/x/'])
      await client.send(new DeleteObjectCommand({Bucket: box, Key: 'x/a/a.js'}))
      await writeFile(join(home.folder, 'dist/a.js'), 'longer')
      await writeFile(join(home.folder, 'dist/index.html'), 'INDEX')
      expect(await skippedOf(['dist', '-r', 'TARGET/x/', '--skip-unchanged', 'size'])).to.deep.equal({
        sent: ['x/a.js', 'x/a/a.js'],
        skipped: 4,
      })
      // The same size is the same to it.
      expect(await read('x/index.html')).to.equal('index')
      expect(await skippedOf(['dist', '-r', 'TARGET/x/', '--skip-unchanged', 'checksum'])).to.deep.equal({
        sent: ['x/index.html'],
        skipped: 5,
      })
      expect(await read('x/index.html')).to.equal('INDEX')
      expect(await listKeys()).to.deep.equal(ALL.map(key => `x/${key}`))
      await writeFile(join(home.folder, 'dist/a.js'), 'a')
      await writeFile(join(home.folder, 'dist/index.html'), 'index')
    })

    it('checksum: compares objects in parts too, and one file alone', async () => {
      const big = join(home.folder, 'big.bin')
      await makeRandomFile(big, 12 * MIB)
      const argv = ['big.bin', 'TARGET/big', '-p', '5M', '--skip-unchanged', 'checksum']
      expect((await skippedOf(argv)).sent).to.deep.equal(['big'])
      expect(await skippedOf(argv)).to.deep.equal({sent: [], skipped: 1})
      const bytes = await readFile(big)
      bytes[7 * MIB] = (bytes[7 * MIB] ?? 0) ^ 1
      await writeFile(big, bytes)
      expect((await skippedOf(argv)).sent).to.deep.equal(['big'])
    })

    it('asks by one listing and no HEAD', async () => {
      await run(['dist', '-r', 'TARGET'])
      const {stderr} = await run(['dist', '-r', 'TARGET', '--skip-unchanged', 'checksum', '-v', '-q'])
      const requests = stderr.trimEnd().split('\n')
      expect(requests.filter(line => line.startsWith('GET '))).to.have.length(1)
      expect(requests).to.have.length(1)
    })
  })

  describe('--results', () => {
    it('has one line for each file; --retry-failed takes those that failed', async () => {
      const link = join(home.folder, 'dist/dead')
      await symlink('nowhere', link)
      const first = await run(['dist', '-r', 'TARGET/x/', '--results', 'r.ndjson', '--link', '-q'])
      expect(first.status).to.equal(5)
      const lines = await readResults('r.ndjson')
      expect(lines.map(({key = ''}) => key).toSorted()).to.deep.equal(
        [...ALL, 'dead'].map(key => `x/${key}`).toSorted(),
      )
      const stored = lines.find(({key}) => key === 'x/a/a.js')
      expect(stored).to.include({status: 'stored', source: 'dist/a/a.js', size: 2})
      expect(await (await fetch(stored?.link ?? '')).text()).to.equal('aa')
      expect(stored?.url).to.match(/^http:\/\/127\.0\.0\.1:\d+\/box-\d+\/x\/a\/a\.js$/u)
      expect(lines.find(({key}) => key === 'x/dead')).to.include({status: 'failed', code: 'not-found'})
      await rm(link)
      await writeFile(link, 'alive')
      const again = await run(['TARGET/x/', '--retry-failed', 'r.ndjson', '--results', 'r.ndjson', '--json'])
      await rm(link)
      expect(again.status).to.equal(0)
      expect(readJson<{objects: {key: string}[]}>(again).objects.map(({key}) => key)).to.deep.equal(['x/dead'])
      expect((await readResults('r.ndjson')).map(({status}) => status)).to.deep.equal(['stored'])
      const elsewhere = await run(['TARGET/y/', '--retry-failed', 'f.ndjson'])
      expect(elsewhere.status).to.equal(5)
    })

    it('retries a folder that could not be read, with what is in it by then', async () => {
      const line = {
        v: 1,
        status: 'failed',
        source: 'dist/a',
        container: box,
        key: 'x/a/',
        code: 'forbidden',
        message: 'No.',
      }
      await writeFile(join(home.folder, 'f.ndjson'), `${JSON.stringify(line)}\n{"v":1,"sta`)
      expect((await run(['TARGET/x/', '--retry-failed', 'f.ndjson'])).status).to.equal(0)
      expect(await listKeys()).to.deep.equal(['x/a/a.js', 'x/a/b/c.map'])
      const elsewhere = await run(['TARGET/y/', '--retry-failed', 'f.ndjson'])
      expect(elsewhere).to.include({status: 2})
      expect(elsewhere.stderr).to.match(/was to become s3:\/\/box-\d+\/x\/a\/, which is not below s3:\/\/box-\d+\/y\//u)
    })
  })

  describe('--retry-failed in another folder', () => {
    const later = (): string => `s3://late-${box}/x/`
    const makeLater = (): Promise<unknown> => client.send(new CreateBucketCommand({Bucket: `late-${box}`}))
    const readLater = async (Key: string): Promise<string> => {
      const {Body} = await client.send(new GetObjectCommand({Bucket: `late-${box}`, Key}))
      return (await Body?.transformToString()) ?? ''
    }

    beforeEach(async () => {
      for (const name of ['c1', 'c2', 'c3']) await rm(join(home.folder, name), {recursive: true, force: true})
      for (const name of ['c1', 'c2']) {
        await mkdir(join(home.folder, name, 't'), {recursive: true})
        await writeFile(join(home.folder, name, 't/x'), name)
      }
      // The container is made only afterwards.
      expect((await run(['t', '-r', later(), '--results', 'r'], {cwd: 'c1'})).status).to.equal(5)
      await makeLater()
    })

    it('takes the file of the first run, not one of the same relative name', async () => {
      const [line] = await readResults('c1/r')
      expect(line).to.include({status: 'failed', source: 't/x', path: join(home.folder, 'c1/t/x'), key: 'x/x'})
      const again = await run([later(), '--retry-failed', '../c1/r'], {cwd: 'c2'})
      expect(again.status, again.stderr).to.equal(0)
      expect(await readLater('x/x')).to.equal('c1')
    })

    it('names files as the first run did where it is the same folder', async () => {
      expect((await run([later(), '--retry-failed', 'r', '--results', 's'], {cwd: 'c1'})).status).to.equal(0)
      expect((await readResults('c1/s')).map(({source}) => source)).to.deep.equal(['t/x'])
    })

    it('takes the file of a checkout that lies elsewhere by now', async () => {
      await rename(join(home.folder, 'c1'), join(home.folder, 'c3'))
      expect((await run([later(), '--retry-failed', 'r'], {cwd: 'c3'})).status).to.equal(0)
      expect(await readLater('x/x')).to.equal('c1')
    })

    it('takes no other file for one that cannot be looked at', async () => {
      const [line] = await readResults('c1/r')
      await symlink('loop', join(home.folder, 'c1/loop'))
      const path = join(home.folder, 'c1/loop/x')
      await writeFile(join(home.folder, 'c1/r'), `${JSON.stringify({...line, path})}\n`)
      const {status, stderr} = await run([later(), '--retry-failed', '../c1/r'], {cwd: 'c2'})
      expect(status).to.be.above(0)
      expect(stderr).to.include('c1/loop/x')
    })

    it('takes what results of earlier versions name, which have no path, below this folder', async () => {
      const [line] = await readResults('c1/r')
      await writeFile(join(home.folder, 'c1/r'), `${JSON.stringify({...line, path: undefined})}\n`)
      expect((await run([later(), '--retry-failed', '../c1/r'], {cwd: 'c2'})).status).to.equal(0)
      expect(await readLater('x/x')).to.equal('c2')
    })

    it('gives what is in a folder the keys that it was to have', async () => {
      const [line] = await readResults('c1/r')
      const folder = {...line, source: 't', path: join(home.folder, 'c1/t'), key: 'x/y/'}
      await writeFile(join(home.folder, 'c1/r'), `${JSON.stringify(folder)}\n`)
      expect((await run([later(), '--retry-failed', '../c1/r'], {cwd: 'c2'})).status).to.equal(0)
      expect(await readLater('x/y/x')).to.equal('c1')
    })

    it('goes through a link before it goes up, as the system does', async () => {
      await mkdir(join(home.folder, 'c1/far/below'), {recursive: true})
      await writeFile(join(home.folder, 'c1/far/x'), 'far')
      await writeFile(join(home.folder, 'c1/x'), 'near')
      await symlink('far/below', join(home.folder, 'c1/link'))
      const wrong = `s3://later-${box}/`
      expect((await run(['link/../x', wrong, '--results', 'r'], {cwd: 'c1'})).status).to.equal(5)
      const lines = (await readFile(join(home.folder, 'c1/r'), 'utf8')).replaceAll('later-', 'late-')
      await writeFile(join(home.folder, 'c1/r'), lines)
      expect((await run([`s3://late-${box}/`, '--retry-failed', '../c1/r'], {cwd: 'c2'})).status).to.equal(0)
      expect(await readLater('x')).to.equal('far')
    })
  })

  describe('failures', () => {
    const many = Array.from({length: 60}, (_, index) => `missing-${String(index).padStart(2, '0')}`).join('\n')

    it('stop the run after --max-failures', async () => {
      const ending = await run(['TARGET', '--from-file', '-', '--max-failures', '5', '--results', 'm.ndjson'], {
        stdin: many,
      })
      expect(ending.status).to.equal(5)
      expect(ending.stderr).to.match(/Stopped after \d+ failures: what is left was not tried\./u)
      const lines = await readResults('m.ndjson')
      expect(lines.length).to.be.within(6, 26)
      expect(lines.at(-1)).to.deep.include({status: 'stopped', source: ''})
      // What was under way when it stopped is counted, too.
      expect(lines.at(-1)?.message).to.match(new RegExp(`^Stopped after ${lines.length - 1} failures:`, 'u'))
    })

    it('that stopped a run are told as such wherever its result is told', async () => {
      const stop = ['TARGET', '--from-file', '-', '--max-failures', '5']
      const quiet = await run([...stop, '-q'], {stdin: many})
      expect(quiet.stderr).to.match(
        /^Stopped after \d+ failures: what is left was not tried\.\nThere is no file "missing-/u,
      )
      const json = readJson<{stopped: string}>(await run([...stop, '--json', '-q'], {stdin: many}))
      expect(json.stopped).to.match(/^Stopped after \d+ failures: what is left was not tried\.$/u)
      const shown = await run(stop, {stdin: many})
      expect(shown.stderr.match(/Stopped after/gu)).to.have.length(1)
      const lines = await run([...stop, '--progress', 'json'], {stdin: many})
      const notes = lines.stderr.split('\n').filter(line => line.includes('Stopped after'))
      expect(notes.map(line => (JSON.parse(line) as {event: string}).event)).to.deep.equal(['note'])
    })

    it('can be tried again only where all files were tried', async () => {
      const retry = ['TARGET', '--retry-failed', 'm.ndjson', '--results', 'm.ndjson', '--max-failures', '1']
      await run(['TARGET', '--from-file', '-', '--results', 'm.ndjson'], {stdin: many})
      const whole = await readResults('m.ndjson')
      expect((await run(retry)).stderr).to.match(/Stopped after \d+ failures/u)
      // The list is what it was: the files that were not tried again stand only there.
      expect(await readResults('m.ndjson')).to.deep.equal(whole)
      await run(['TARGET', '--from-file', '-', '--max-failures', '1', '--results', 'm.ndjson'], {stdin: many})
      const {status, stderr} = await run(retry)
      expect({status, stderr}).to.deep.equal({
        status: 2,
        stderr:
          'The run that wrote "m.ndjson" ended before it had tried all files.\n  Run the command of that run again: it sends only what is missing.\n',
      })
    })

    it('of a stream are not tried again: its source is no file', async () => {
      await writeFile(join(home.folder, 'dump.sh'), '#!/bin/sh\nexit 3\n', {mode: 0o755})
      const command = ['--from-command', 'TARGET/dump', '--results', 's.ndjson', '--', './dump.sh']
      expect((await run(command)).status).to.equal(7)
      const {status, stderr} = await run(['TARGET/', '--retry-failed', 's.ndjson'])
      expect({status, stderr}).to.deep.equal({
        status: 2,
        stderr:
          '"./dump.sh" was a stream, and what has come does not come again.\n  Run the command of that run again.\n',
      })
    })

    it('are all tried without, told once each, and in the end only a few of them', async () => {
      const ending = await run(['TARGET', '--from-file', '-', '--results', 'm.ndjson'], {stdin: many})
      expect(ending.status).to.equal(5)
      expect(await readResults('m.ndjson')).to.have.length(60)
      expect(ending.stderr).to.match(/60 files failed; 10 of the failures:\nThere is no file "missing-/u)
      const json = readJson<{failures: unknown[]; failed: number}>(
        await run(['TARGET', '--from-file', '-', '--json'], {stdin: many}),
      )
      expect(json.failed).to.equal(60)
      expect(json.failures).to.have.length(20)
    })

    it('of the store end a run in which nothing can succeed', async () => {
      await mkdir(join(home.folder, 'many'), {recursive: true})
      for (let index = 0; index < 1000; index++) await writeFile(join(home.folder, `many/${index}`), '')
      const gone = await run(['many', '-r', 's3://no-such-container/', '--results', 'g.ndjson'])
      expect(gone.status).to.equal(5)
      expect(gone.stderr).to.match(/Stopped: \d+ files in a row failed for reasons of the store/u)
      expect((await readResults('g.ndjson')).length).to.be.within(17, 601)
    })
  })

  describe('in GitHub Actions', () => {
    it('groups the log, annotates failures and writes a table', async () => {
      const evil = 'dist/##[add-mask]x%0A::error::y|`z`'
      await mkdir(join(home.folder, 'dist/##[add-mask]x%0A::error::y|`z`'), {recursive: true})
      await symlink('nowhere', join(home.folder, evil, 'd'))
      const summary = join(home.folder, 'summary.md')
      await writeFile(summary, '# Before\n')
      const env = {GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary}
      const {status, stdout, stderr} = await run(['dist', '-r', 'TARGET'], {env})
      await rm(join(home.folder, evil), {recursive: true})
      expect(status).to.equal(5)
      const lines = stderr.split('\n')
      expect(lines[0]).to.equal('::group::skylift upload')
      expect(lines.indexOf('::endgroup::')).to.be.above(0)
      const errors = lines.filter(line => line.startsWith('::error'))
      expect(errors).to.have.length(1)
      expect(errors[0]).to.match(
        /^::error title=Upload of dist\/##\[add-mask\]x%250A%3A%3Aerror%3A%3Ay\|`z`\/d failed::The symbolic link/u,
      )
      // A name of somebody's is no command, neither at the beginning of a line nor within it.
      const others = [...lines, ...stdout.split('\n')].filter(line => !/^::(?:group|endgroup|error)/u.test(line))
      expect(others.filter(line => line.startsWith('::') || line.includes('##['))).to.deep.equal([])
      const table = await readFile(summary, 'utf8')
      expect(table).to.match(/^# Before\n### Skylift upload\n/u)
      expect(table).to.match(/\n\| 6 \| 0 \| 1 \| 17 B \| \S+ m?s \|\n/u)
      expect(table).to.match(/\n\| <code>dist\/.*&#124;&#96;z&#96;\/d<\/code> \| <code>The symbolic link /u)
    })

    it('writes plain lines elsewhere', async () => {
      expect((await run(['dist', '-r', 'TARGET'])).stderr).not.to.include('::')
    })
  })

  it('uploads names that are no UTF-8 not at all, and everything else', async () => {
    const folder = join(home.folder, 'names')
    await mkdir(folder, {recursive: true})
    execFileSync('sh', ['-c', String.raw`cd "$0" && touch good "$(printf 'b\377d')"`, folder])
    const {status, stderr} = await run(['names', '-r', 'TARGET', '--results', 'n.ndjson'])
    expect(status).to.equal(2)
    expect(stderr).to.match(/The name of "names\/b\uFFFDd" is not UTF-8/u)
    expect(await listKeys()).to.deep.equal(['good'])
  })
})
