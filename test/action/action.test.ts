import {execFile} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {cp, mkdir, readFile, writeFile} from 'node:fs/promises'
import http from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {CreateBucketCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import Upload from '../../src/commands/upload.ts'
import {ROOT} from '../docs/pages.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, makeHome} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {packSkylift} from './pack.ts'
import {readAction, runAction} from './run-action.ts'
import type {ActionEnding} from './run-action.ts'

/** Each would do something if it ever stood in a script. */
const ODD = [
  `it's "quoted".txt`,
  '$(touch pwned).txt',
  '`touch pwned`.txt',
  '; touch pwned ;.txt',
  'résumé 漢字.txt',
  ' leading.txt',
]

describe('the GitHub Action', function () {
  this.timeout(60_000)
  let home: Home
  let client: S3Client
  let work: string
  let runs = 0

  before(async function () {
    skipUnless(this, process.platform !== 'win32', 'Windows has no such file names')
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    home = await makeHome(accessEnv(sandbox))
    work = join(home.folder, 'work')
    await mkdir(join(work, 'dist', 'deep'), {recursive: true})
    for (const name of [...ODD, 'plain.txt', 'dist/index.html', 'dist/app.js.map', 'dist/deep/two\nlines.txt']) {
      await writeFile(join(work, name), `this is ${name}`)
    }
  })
  after(closeAll)

  const run = (inputs: Record<string, string>, more: {readonly actionPath?: string} = {}): Promise<ActionEnding> =>
    runAction(inputs, {env: home.env, cwd: work, temp: join(home.folder, `runner ${runs++}`), ...more})

  const read = async (Key: string): Promise<string> => {
    const {Body} = await client.send(new GetObjectCommand({Bucket: 'box', Key}))
    return (await Body?.transformToString()) ?? ''
  }

  const list = async (Prefix: string): Promise<string[]> => {
    const {Contents = []} = await client.send(new ListObjectsV2Command({Bucket: 'box', Prefix}))
    return Contents.map(({Key = ''}) => Key.slice(Prefix.length))
  }

  it('lets no input into a script', () => {
    const {runs} = readAction()
    expect(runs.using).to.equal('composite')
    for (const step of runs.steps) {
      expect(step.run, step.id).to.match(/^set -euo pipefail$/mu)
      expect(step.run, step.id).to.not.include('${{')
      expect(step.shell).to.equal('bash')
    }
  })

  it('has only inputs that are flags, or words of its own, and uses them all', () => {
    const {inputs, runs} = readAction()
    const own = ['source', 'target', 'args', 'version']
    const flags = new Set([...Object.keys(Upload.flags), ...own])
    expect(Object.keys(inputs).filter(name => !flags.has(name))).to.deep.equal([])
    const used = runs.steps.flatMap(({env = {}}) => Object.values(env)).join('\n')
    for (const name of Object.keys(inputs)) expect(used).to.include(`\${{ inputs.${name} }}`)
  })

  it('uploads several sources whose names are odd, and tells where they are', async () => {
    const {status, log, outputs, summary} = await run({
      source: `${ODD.join('\n')}\n\nplain.txt\n`,
      target: 's3://box/odd/',
    })
    expect(status, log).to.equal(0)
    expect((await list('odd/')).toSorted()).to.deep.equal([...ODD, 'plain.txt'].toSorted())
    for (const name of ODD) expect(await read(`odd/${name}`)).to.equal(`this is ${name}`)
    const urls = (outputs['urls'] ?? '').split('\n')
    expect(urls).to.have.length(ODD.length + 1)
    expect(urls.every(url => /^http:\/\/127\.0\.0\.1:\d+\/box\/odd\/[!-~]+$/u.test(url))).to.equal(true)
    const results = (await readFile(outputs['results'] ?? '', 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(results.map(({status, source}) => `${status} ${source}`).toSorted()).to.deep.equal(
      [...ODD, 'plain.txt'].map(name => `stored ${name}`).toSorted(),
    )
    expect(log).to.include('::group::').and.to.include('::endgroup::').and.to.not.include('::error')
    expect(summary).to.include('### Skylift upload')
  })

  it('hands its inputs on as flags', async () => {
    const {status, log} = await run({
      source: 'dist/',
      target: 's3://box/site/',
      recursive: 'true',
      exclude: '*.map\n',
      'cache-control': 'max-age=60, public',
      'content-type': 'text/x-odd; charset="utf-8"',
      metadata: 'from=a job\nnote=$(touch pwned)',
      args: '--storage-class=STANDARD\n--symlinks\nskip',
    })
    expect(status, log).to.equal(0)
    expect((await list('site/')).toSorted()).to.deep.equal(['deep/two\nlines.txt', 'index.html'])
    const {CacheControl, ContentType, Metadata} = await client.send(
      new HeadObjectCommand({Bucket: 'box', Key: 'site/index.html'}),
    )
    expect({CacheControl, ContentType, Metadata}).to.deep.equal({
      CacheControl: 'max-age=60, public',
      ContentType: 'text/x-odd; charset="utf-8"',
      Metadata: {from: 'a job', note: '$(touch pwned)'},
    })
    const again = await run({
      source: 'dist',
      target: 's3://box/site/',
      recursive: 'true',
      exclude: '*.map',
      'skip-unchanged': 'size',
    })
    expect(again.status, again.log).to.equal(0)
    expect(again.outputs['urls']).to.equal('')
  })

  it('ends with the status of the upload and an annotation', async () => {
    const {status, log, outputs} = await run({source: 'plain.txt\nmissing.txt', target: 's3://box/some/'})
    expect(status, log).to.equal(5)
    expect(log).to.include('There is no file "missing.txt".')
    expect(log).to.match(/^::error title=Skylift failed::There is no file "missing\.txt"\.$/mu)
    expect(log).to.match(/^::error title=Skylift::The upload ended with exit status 5; /mu)
    expect(outputs['urls']).to.equal('')
  })

  it('tells what was stored when something else failed', async () => {
    const source = `plain.txt\n${ODD[0]}`
    await run({source: 'plain.txt', target: 's3://box/taken/'})
    const {status, log, outputs, summary} = await run({source, target: 's3://box/taken/', 'no-clobber': 'true'})
    expect(status, log).to.equal(6)
    expect(log).to.match(/^::error title=Upload of plain\.txt failed::/mu)
    expect(summary).to.match(/^\| <code>plain\.txt<\/code> \| /mu)
    expect(outputs['urls']).to.match(/^http:\S+\/box\/taken\/it\S+txt$/u)
    const results = await readFile(outputs['results'] ?? '', 'utf8')
    expect(results).to.include('"status":"failed"').and.to.include('"code":"exists"')
  })

  const wrong: [what: string, inputs: Record<string, string>, words: RegExp][] = [
    ['no source', {source: ' \n\n', target: 's3://box/'}, /The input source names nothing/u],
    ['stdin', {source: '-', target: 's3://box/'}, /A step has no stdin/u],
    [
      'a switch that is none',
      {source: 'plain.txt', target: 's3://box/', recursive: 'yes'},
      /The input recursive is true or false/u,
    ],
    [
      'a flag as a version',
      {source: 'plain.txt', target: 's3://box/', version: '--registry=http://evil.example'},
      /not a version/u,
    ],
    [
      'a URL as a version',
      {source: 'plain.txt', target: 's3://box/', version: 'https://evil.example/x.tgz'},
      /not a version/u,
    ],
    ['a file in place of a target', {source: 'plain.txt', target: 'dist'}, /The last word must be a target/u],
  ]
  for (const [what, inputs, words] of wrong) {
    it(`ends with 2 for ${what}`, async () => {
      const {status, log} = await run(inputs)
      expect(status, log).to.equal(2)
      expect(log)
        .to.match(words)
        .and.to.match(/^::error title=Skylift::/mu)
    })
  }

  it('takes a source that looks like a flag for a file', async () => {
    await writeFile(join(work, '--recursive'), 'a file')
    const {status, log} = await run({source: '--recursive', target: 's3://box/flag/'})
    expect(status, log).to.equal(0)
    expect(await read('flag/--recursive')).to.equal('a file')
  })

  it('installs the version that is asked for', async () => {
    const {version, tarball} = await packSkylift()
    const registry = http.createServer((request, response) => {
      const isPackage = request.url === '/skylift'
      if (!isPackage && request.url !== '/skylift.tgz') response.writeHead(404).end()
      else if (!isPackage) response.end(tarball)
      else {
        const dist = {tarball: `http://${request.headers.host}/skylift.tgz`}
        const versions = {[version]: {name: 'skylift', version, bin: {skylift: 'bin/run.js'}, dist}}
        response.end(JSON.stringify({name: 'skylift', 'dist-tags': {latest: version}, versions}))
      }
    })
    registry.listen(0, '127.0.0.1')
    await once(registry, 'listening')
    try {
      const address = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`
      const {status, log} = await runAction(
        {source: 'plain.txt', target: 's3://box/by-version/', version},
        {env: {...home.env, npm_config_registry: address}, cwd: work, temp: join(home.folder, 'runner npm')},
      )
      expect(status, log).to.equal(0)
      expect(await read('by-version/plain.txt')).to.equal('this is plain.txt')
    } finally {
      registry.close()
      registry.closeAllConnections()
    }
  })

  it('builds what its own ref holds where no version is asked for', async function () {
    this.timeout(180_000)
    const checkout = join(await makeTempFolder(), 'action')
    const names = [
      'bin',
      'src',
      'scripts',
      'package.json',
      'package-lock.json',
      '.npmrc',
      'tsconfig.json',
      'tsconfig.types.json',
    ]
    for (const name of names) await cp(join(ROOT, name), join(checkout, name), {recursive: true})
    // The packages come from npm's own cache, which `npm ci` of this repository has filled.
    const {stdout} = await promisify(execFile)('npm', ['config', 'get', 'cache'])
    const env = {...home.env, npm_config_cache: stdout.trim(), npm_config_prefer_offline: 'true'}
    const {status, log} = await runAction(
      {source: 'plain.txt', target: 's3://box/built/'},
      {env, cwd: work, temp: join(home.folder, 'runner built'), actionPath: checkout},
    )
    expect(status, log).to.equal(0)
    expect(await read('built/plain.txt')).to.equal('this is plain.txt')
  })

  it('has run nothing that stood in a name or an input', () => {
    expect(existsSync(join(work, 'pwned'))).to.equal(false)
  })
})
