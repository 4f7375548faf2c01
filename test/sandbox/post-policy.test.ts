import {createHmac, randomBytes} from 'node:crypto'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, GetObjectCommand, HeadObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, codeOf, openClient, openSandbox, sendRaw} from './support.ts'
import type {Access} from './support.ts'

type Condition = Record<string, string> | (string | number)[]

interface Form {
  readonly fields?: Record<string, string>
  readonly conditions?: Condition[]
  readonly expiresIn?: number
  readonly file?: string | Buffer
  readonly filename?: string
  readonly secret?: string
  /** Fields that the policy does not name. */
  readonly extra?: Record<string, string>
}

const Bucket = 'forms'

function writePolicy(access: Access, form: Form): Record<string, string> {
  const date = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/gu, '')
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`
  const signing = {
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${access.accessKeyId}/${scope}`,
    'x-amz-date': date,
  }
  const fields = {key: 'uploads/${filename}', ...form.fields}
  const named = Object.entries({...fields, ...signing}).map(([name, value]) =>
    name === 'key' ? ['starts-with', '$key', 'uploads/'] : {[name]: value},
  )
  const policy = {
    expiration: new Date(Date.now() + (form.expiresIn ?? 60_000)).toISOString(),
    conditions: [{bucket: Bucket}, ...named, ...(form.conditions ?? [])],
  }
  const text = Buffer.from(JSON.stringify(policy)).toString('base64')
  const mac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
  const key = scope
    .split('/')
    .reduce<string | Buffer>((before, step) => mac(before, step), `AWS4${form.secret ?? access.secretAccessKey}`)
  return {...fields, ...signing, ...form.extra, policy: text, 'x-amz-signature': mac(key, text).toString('hex')}
}

describe('sandbox forms', () => {
  let sandbox: Awaited<ReturnType<typeof openSandbox>>
  let client: S3Client

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket}))
  })
  after(closeAll)

  const post = async (form: Form = {}) => {
    const data = new FormData()
    for (const [name, value] of Object.entries(writePolicy(sandbox, form))) data.append(name, value)
    data.append(
      'file',
      new Blob([Buffer.from(form.file ?? 'file content')], {type: 'text/x-test'}),
      form.filename ?? 'a.txt',
    )
    const response = await fetch(`${sandbox.endpoint}/${Bucket}`, {method: 'POST', body: data, redirect: 'manual'})
    const text = await response.text()
    return {status: response.status, headers: response.headers, text, code: /<Code>(.*)<\/Code>/u.exec(text)?.[1] ?? ''}
  }

  it('takes a form by fetch, with the name of the file', async () => {
    const reply = await post({
      filename: 'résumé v2.txt',
      fields: {'x-amz-meta-who': 'me', 'Content-Type': 'text/plain', acl: 'private'},
    })
    expect(reply.status, reply.text).to.equal(204)
    const got = await client.send(new GetObjectCommand({Bucket, Key: 'uploads/résumé v2.txt'}))
    expect(await got.Body?.transformToString()).to.equal('file content')
    expect(got).to.deep.include({ContentType: 'text/plain', Metadata: {who: 'me'}, ETag: reply.headers.get('etag')})
  })

  it('takes the type of the file where the form has none, and no folders of its name', async () => {
    expect((await post({filename: '../../C:\\x\\b.txt'})).status).to.equal(204)
    expect((await client.send(new HeadObjectCommand({Bucket, Key: 'uploads/b.txt'}))).ContentType).to.equal(
      'text/x-test',
    )
  })

  it('answers as the form asks', async () => {
    expect((await post({fields: {success_action_status: '200'}})).status).to.equal(200)
    const created = await post({fields: {success_action_status: '201'}})
    expect([created.status, /<Key>(.*)<\/Key>/u.exec(created.text)?.[1]]).to.deep.equal([201, 'uploads/a.txt'])
    const redirected = await post({fields: {success_action_redirect: 'http://localhost:1/done?a=b'}})
    expect(redirected.status).to.equal(303)
    expect(redirected.headers.get('location')).to.match(
      /^http:\/\/localhost:1\/done\?a=b&bucket=forms&key=uploads%2Fa\.txt&etag=%22/u,
    )
  })

  it('takes 20 MiB that look like boundaries', async () => {
    const piece = Buffer.concat([
      Buffer.from('\r\n--'),
      randomBytes(100),
      Buffer.from('\r\n------WebKitFormBoundary\r\n-'),
    ])
    const file = Buffer.concat(Array.from({length: (20 * 1024 * 1024) / piece.length}, () => piece))
    expect((await post({file, filename: 'big'})).status).to.equal(204)
    const got = await client.send(new GetObjectCommand({Bucket, Key: 'uploads/big'}))
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(file)).to.equal(true)
  })

  const refused: [string, Form, number, string, string?][] = [
    ['an expired policy', {expiresIn: -1}, 403, 'AccessDenied', 'Invalid according to Policy: Policy expired.'],
    [
      'another key',
      {extra: {key: 'elsewhere/a'}},
      403,
      'AccessDenied',
      'Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "uploads/"]',
    ],
    [
      'another value',
      {fields: {acl: 'private'}, extra: {acl: 'public-read'}},
      403,
      'AccessDenied',
      'Policy Condition failed: ["eq", "$acl", "private"]',
    ],
    [
      'a further field',
      {extra: {'x-amz-meta-evil': '1'}},
      403,
      'AccessDenied',
      'Invalid according to Policy: Extra input fields: x-amz-meta-evil',
    ],
    ['another bucket', {conditions: [{bucket: 'other'}]}, 403, 'AccessDenied', 'Policy Condition failed'],
    ['a wrong secret', {secret: 'wrong'}, 403, 'SignatureDoesNotMatch'],
    ['an unknown condition', {conditions: [['ends-with', '$key', 'x']]}, 400, 'InvalidPolicyDocument'],
    ['a file that is too big', {conditions: [['content-length-range', 0, 11]]}, 400, 'EntityTooLarge'],
    ['a file that is too small', {conditions: [['content-length-range', 13, 100]]}, 400, 'EntityTooSmall'],
    ['a wrong checksum', {fields: {'x-amz-checksum-crc32': 'AAAAAA=='}}, 400, 'BadDigest'],
    ['what the sandbox does not do', {fields: {'x-amz-object-lock-mode': 'GOVERNANCE'}}, 501, 'NotImplemented'],
  ]
  for (const [what, form, status, code, message] of refused) {
    it(`refuses ${what}, and keeps nothing`, async () => {
      const reply = await post({...form, filename: 'refused'})
      expect([reply.status, reply.code]).to.deep.equal([status, code])
      if (message !== undefined) expect(reply.text.replaceAll('&quot;', '"')).to.include(message)
      expect(await codeOf(client.send(new HeadObjectCommand({Bucket, Key: 'uploads/refused'})))).to.equal('NotFound')
    })
  }

  it('takes a file just as big as is allowed, and fields to ignore', async () => {
    const form = {conditions: [['content-length-range', 12, 12]], extra: {'x-ignore-me': '1'}}
    expect((await post(form)).status).to.equal(204)
  })

  it('refuses 64 MiB for 1 MiB without keeping them', async () => {
    const before = await readdir(join(sandbox.folder, 'segments'))
    // The answer comes while the body is still being sent: some clients see it, some a cut connection.
    const outcome = await post({
      file: Buffer.alloc(64 * 1024 * 1024),
      conditions: [['content-length-range', 0, 1024 * 1024]],
    }).then(
      reply => reply.code,
      () => 'cut',
    )
    expect(outcome).to.be.oneOf(['EntityTooLarge', 'cut'])
    // Those of an object that was replaced may go only now.
    expect(before).to.include.members(await readdir(join(sandbox.folder, 'segments')))
  })

  const malformed: [string, string, string, number, string][] = [
    ['no form', 'text/plain', 'x', 412, 'PreconditionFailed'],
    ['no boundary', 'multipart/form-data', 'x', 412, 'PreconditionFailed'],
    ['no parts', 'multipart/form-data; boundary=b', 'x', 400, 'MalformedPOSTRequest'],
    [
      'no file',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nx\r\n--b--\r\n',
      400,
      'InvalidArgument',
    ],
    [
      'no name',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n',
      400,
      'MalformedPOSTRequest',
    ],
    [
      'no policy',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n',
      403,
      'AccessDenied',
    ],
    [
      'fields that are too long',
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n${'x'.repeat(30_000)}\r\n--b--\r\n`,
      400,
      'MaxPostPreDataLengthExceededError',
    ],
  ]
  for (const [what, type, body, status, code] of malformed) {
    it(`refuses a POST with ${what}`, async () => {
      const reply = await sendRaw(sandbox, {method: 'POST', path: '/forms', headers: {'content-type': type}, body})
      expect([reply.status, reply.code]).to.deep.equal([status, code])
    })
  }
})
