import {readdir} from 'node:fs/promises'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {closeAll, openClient, openSandbox, sendRaw, sendSigned, signHeaders} from './support.ts'

const NAMES = [
  '../../etc/passwd',
  '..',
  '.',
  './a',
  'a/./b',
  'a/../b',
  'a//b',
  '/leading',
  '//two',
  'trailing/',
  'trailing//',
  '.hidden',
  '...',
  '~',
  'with space',
  ' space around ',
  'plus+and%2Bplus',
  'percent%',
  '%2e%2e/%2E',
  'a?b=c&d#e',
  'quote"\'`',
  'semi;colon:comma,at@dollar$',
  'back\\slash',
  'brackets[]{}()<>|^',
  "!'()*",
  'ünïcödé/日本語/🎉',
  'e\u0301 and \u00E9',
  'a\u202Eb',
  'CON',
  'nul.txt',
  '__proto__',
  'constructor',
  'credentials.json',
  'a'.repeat(1024),
  `${'ü'.repeat(511)}ab`,
  'dir/'.repeat(256),
  'response-content-type=x',
]

describe('sandbox names', () => {
  let sandbox: Sandbox & {folder: string}
  let client: S3Client
  const Bucket = 'names'

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket}))
  })
  after(closeAll)

  // The SDK builds its paths with care, but refuses a few keys of its own accord: these go by a raw request.
  const encode = (key: string) =>
    encodeURIComponent(key)
      .replaceAll(/[!'()*]/gu, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll('%2F', '/')

  for (const key of NAMES) {
    it(`keeps ${JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key)} apart from all others`, async () => {
      const path = `/${Bucket}/${encode(key)}`
      const put = await sendSigned(sandbox, {method: 'PUT', path, body: key})
      expect(put.status, put.text).to.equal(200)
      const {text} = await sendSigned(sandbox, {path})
      expect(text).to.equal(key)
    })
  }

  it('lists them all, in the order of their bytes', async () => {
    const listed = await client.send(new ListObjectsV2Command({Bucket}))
    const wanted = NAMES.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(listed.Contents?.map(each => each.Key)).to.deep.equal(wanted)
  })

  it('copies and deletes them', async () => {
    for (const key of NAMES) {
      await client.send(new CopyObjectCommand({Bucket, Key: 'copy', CopySource: `${Bucket}/${encode(key)}`}))
      const copy = await client.send(new GetObjectCommand({Bucket, Key: 'copy'}))
      expect(await copy.Body?.transformToString()).to.equal(key)
      const gone = await sendSigned(sandbox, {method: 'DELETE', path: `/${Bucket}/${encode(key)}`})
      expect(gone.status).to.equal(204)
    }
    await client.send(new DeleteObjectCommand({Bucket, Key: 'copy'}))
    expect((await client.send(new ListObjectsV2Command({Bucket}))).KeyCount).to.equal(0)
  })

  it('names files by hashes only', async () => {
    await client.send(new PutObjectCommand({Bucket, Key: 'x', Body: 'x'}))
    const names = await readdir(sandbox.folder, {recursive: true})
    for (const name of names) {
      expect(name).to.match(
        /^(?:lock|(?:credentials|port)\.json|buckets|objects|segments|uploads|[a-z]+\/[\da-f]+(?:\.json)?(?:\/[\da-f]{64}\.json)?)$/u,
      )
    }
  })

  it('sorts what UTF-16 would sort otherwise', async () => {
    await client.send(new CreateBucketCommand({Bucket: 'order'}))
    const keys = ['\u{1F389}', '\uFFFD', '\uE000', 'z', 'a', 'aa', 'a\u0001']
    for (const Key of keys) await client.send(new PutObjectCommand({Bucket: 'order', Key, Body: ''}))
    const listed = await client.send(new ListObjectsV2Command({Bucket: 'order', EncodingType: 'url'}))
    const wanted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(listed.Contents?.map(each => decodeURIComponent(each.Key ?? ''))).to.deep.equal(wanted)
  })

  it('refuses keys of more than 1,024 bytes', async () => {
    for (const key of ['a'.repeat(1025), `${'ü'.repeat(512)}a`]) {
      const reply = await sendSigned(sandbox, {method: 'PUT', path: `/${Bucket}/${encode(key)}`, body: ''})
      expect([reply.status, reply.code]).to.deep.equal([400, 'KeyTooLongError'])
    }
  })

  it('refuses paths that are no UTF-8', async () => {
    for (const path of ['/names/%FF', '/names/%C3', '/names/%', '/names/%zz', '/%E0%80']) {
      const reply = await sendRaw(sandbox, {path})
      expect([reply.status, reply.code], path).to.deep.equal([400, 'InvalidURI'])
    }
  })

  it('takes raw and encoded spellings of one key for the same', async () => {
    const headers = await signHeaders(sandbox, {method: 'PUT', path: '/names/a%21b%27c'})
    await sendRaw(sandbox, {method: 'PUT', path: '/names/%61!b%27c', headers, body: 'same'})
    expect((await sendSigned(sandbox, {path: '/names/a%21b%27c'})).text).to.equal('same')
  })

  for (const name of [
    'Ab',
    'ab',
    'Abc',
    'a_b',
    'a..b',
    '-ab',
    'ab-',
    '192.168.1.1',
    'a'.repeat(64),
    '..',
    'xn--abc',
    'abc-s3alias',
  ]) {
    it(`refuses the bucket name ${name.slice(0, 20)}`, async () => {
      const reply = await sendSigned(sandbox, {method: 'PUT', path: `/${name}`})
      expect([reply.status, reply.code]).to.deep.equal([400, 'InvalidBucketName'])
    })
  }
})
