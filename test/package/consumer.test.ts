import {execFile} from 'node:child_process'
import {cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {CreateBucketCommand, GetObjectCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SOURCES = [
  'bin',
  'src',
  'scripts',
  'package.json',
  'tsconfig.json',
  'tsconfig.types.json',
  'README.md',
  'LICENSE',
]
const MOST = 600_000

const PROGRAM = `
import {readFileSync} from 'node:fs'
import {advance, emptyProgress, isFailure, mintTicket, openStore, parseTicket, formatTicket, upload} from 'skylift'
import type {Progress, StoredObject, Ticket} from 'skylift'

const [endpointUrl = '', region = '', accessKeyId = '', secretAccessKey = '', file = ''] = process.argv.slice(2)
const options = {endpointUrl, region, keys: {accessKeyId, secretAccessKey}}
let progress: Progress = emptyProgress()
const stored: StoredObject = await upload(file, 's3://box/sent.bin', {
  ...options,
  partSize: 5 * 1024 ** 2,
  object: {contentType: 'text/plain', metadata: {from: 'a library'}},
  onEvent: event => (progress = advance(progress, event)),
})
const store = await openStore('s3', options)
const signal = AbortSignal.timeout(10_000)
const info = await store.head({remote: 's3', container: 'box', key: 'sent.bin'}, {signal})
const {ticket} = await mintTicket('s3://box/by-ticket', {size: {max: 1024 ** 2}, contentType: 'text/plain', expiresIn: 60_000}, options)
const again: Ticket = parseTicket(formatTicket(ticket))
let code = 'none'
try {
  await upload(file, 's3://nowhere/x', options)
} catch (error) {
  if (isFailure(error)) code = error.code
}
console.log(JSON.stringify({size: stored.size, by: stored.verified.by, done: progress.done, type: info.contentType, metadata: info.metadata, kind: again.kind, code, bytes: readFileSync(file).length}))
`

describe('the package', function () {
  this.timeout(120_000)
  let consumer: string
  let tarball: string
  after(closeAll)

  before(async () => {
    const [tree, packed] = [await makeTempFolder(), await makeTempFolder()]
    consumer = await makeTempFolder()
    // Packed from a copy: `prepack` changes package.json for a moment, and others read it.
    for (const name of SOURCES) cpSync(join(ROOT, name), join(tree, name), {recursive: true})
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
    const manifest = readFileSync(join(tree, 'package.json'), 'utf8')
    await run('npm', ['pack', '--pack-destination', packed], {cwd: tree})
    expect(readFileSync(join(tree, 'package.json'), 'utf8')).to.equal(manifest)
    tarball = join(packed, readdirSync(packed)[0] ?? '')
    writeFileSync(join(consumer, 'package.json'), JSON.stringify({name: 'consumer', private: true, type: 'module'}))
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], {cwd: consumer})
  })

  it('is one small bundle without dependencies', () => {
    expect(statSync(tarball).size).to.be.at.most(MOST)
    expect(readdirSync(join(consumer, 'node_modules')).filter(name => !name.startsWith('.'))).to.deep.equal(['skylift'])
    const folder = join(consumer, 'node_modules', 'skylift')
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).to.not.have.any.keys(
      ...['dependencies', 'devDependencies', 'scripts'],
    )
    const licences = readFileSync(join(folder, 'dist', 'LICENSES.txt'), 'utf8')
    for (const name of ['@oclif/core', '@aws-sdk/client-s3', 'ora', 'yaml']) expect(licences).to.include(`${name} `)
  })

  it('passes publint', async () => {
    const {publint} = await import('publint')
    const {messages} = await publint({pkgDir: join(consumer, 'node_modules', 'skylift'), strict: true})
    expect(messages).to.deep.equal([])
  })

  it('runs by its name', async () => {
    const {stdout} = await run(join(consumer, 'node_modules', '.bin', 'skylift'), ['--version'])
    expect(stdout).to.match(/^skylift\/\d+\.\d+\.\d+ /u)
  })

  it('is a typed library that uploads, opens a store and mints a ticket', async () => {
    writeFileSync(join(consumer, 'program.ts'), PROGRAM)
    const options = ['--target', 'es2023', '--module', 'nodenext', '--strict', '--exactOptionalPropertyTypes']
    mkdirSync(join(consumer, 'node_modules', '@types'), {recursive: true})
    symlinkSync(join(ROOT, 'node_modules/@types/node'), join(consumer, 'node_modules/@types/node'))
    // What @types/node needs itself.
    symlinkSync(join(ROOT, 'node_modules/undici-types'), join(consumer, 'node_modules/undici-types'))
    await run(
      process.execPath,
      [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, '--types', 'node', 'program.ts'],
      {
        cwd: consumer,
      },
    )
    const sandbox = await openSandbox()
    const client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    const file = join(consumer, 'file.bin')
    writeFileSync(file, Buffer.alloc(6 * 1024 ** 2, 'skylift '))
    const {endpoint, region, accessKeyId, secretAccessKey} = sandbox
    const words = ['program.js', endpoint, region, accessKeyId, secretAccessKey, file]
    const {stdout, stderr} = await run(process.execPath, words, {
      cwd: consumer,
      env: {PATH: process.env['PATH'] ?? '', HOME: consumer, AWS_EC2_METADATA_DISABLED: 'true'},
    })
    expect(stderr).to.equal('')
    expect(JSON.parse(stdout)).to.deep.equal({
      size: 6 * 1024 ** 2,
      by: 'crc32',
      done: 1,
      type: 'text/plain',
      metadata: {from: 'a library'},
      kind: 's3',
      code: 'not-found',
      bytes: 6 * 1024 ** 2,
    })
    const {Body} = await client.send(new GetObjectCommand({Bucket: 'box', Key: 'sent.bin'}))
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(readFileSync(file))).to.equal(true)
  })
})
