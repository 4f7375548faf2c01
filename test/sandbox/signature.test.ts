import {createHash, createHmac} from 'node:crypto'
import {crc32} from 'node:zlib'
import {CreateBucketCommand, GetObjectCommand, ListBucketsCommand, PutObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {crc32ToBase64} from '../../src/core/crc32.ts'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {closeAll, codeOf, openClient, openSandbox, presign, sendRaw, sendSigned, signHeaders} from './support.ts'

const MINUTE = 60_000
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

describe('sandbox signatures', () => {
  let sandbox: Sandbox
  let client: S3Client
  const Bucket = 'signed'

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket}))
    await client.send(new PutObjectCommand({Bucket, Key: 'x', Body: 'content'}))
  })
  after(closeAll)

  const list = async (access: Partial<Sandbox>) =>
    codeOf(openClient({...sandbox, ...access}).send(new ListBucketsCommand({})))

  it('knows its own key, secret and region only', async () => {
    expect(await list({})).to.equal('no error')
    expect(await list({secretAccessKey: 'wrong'})).to.equal('SignatureDoesNotMatch')
    expect(await list({accessKeyId: 'UNKNOWN'})).to.equal('InvalidAccessKeyId')
    expect(await list({region: 'eu-central-1'})).to.equal('AuthorizationHeaderMalformed')
    const reply = await sendSigned({...sandbox, region: 'eu-central-1'}, {path: '/'})
    expect(reply.text).to.include('<Region>us-east-1</Region>')
  })

  it('refuses requests without a signature, and with an old one', async () => {
    expect((await sendRaw(sandbox, {path: '/'})).code).to.equal('AccessDenied')
    expect((await sendRaw(sandbox, {path: '/signed/x'})).code).to.equal('AccessDenied')
    expect((await sendRaw(sandbox, {method: 'PUT', path: '/signed/y', body: 'x'})).code).to.equal('AccessDenied')
    expect(
      (await sendRaw(sandbox, {path: '/', headers: {authorization: `AWS ${sandbox.accessKeyId}:abc`}})).code,
    ).to.equal('InvalidRequest')
    expect(
      (await sendRaw(sandbox, {path: `/signed/x?AWSAccessKeyId=${sandbox.accessKeyId}&Signature=a&Expires=1`})).code,
    ).to.equal('InvalidRequest')
    expect((await sendRaw(sandbox, {path: '/', headers: {authorization: 'AWS4-HMAC-SHA256 nonsense'}})).code).to.equal(
      'AuthorizationHeaderMalformed',
    )
    const both = await signHeaders(sandbox, {path: '/'})
    expect((await sendRaw(sandbox, {path: '/?X-Amz-Algorithm=AWS4-HMAC-SHA256', headers: both})).code).to.equal(
      'InvalidArgument',
    )
  })

  const tampered: [
    string,
    (headers: Record<string, string>) => {method?: string; path: string; headers: Record<string, string>},
  ][] = [
    ['another path', headers => ({path: '/signed/y', headers})],
    ['another method', headers => ({method: 'DELETE', path: '/signed/x', headers})],
    ['a further query', headers => ({path: '/signed/x?tagging', headers})],
    ['another signed header', headers => ({path: '/signed/x', headers: {...headers, 'x-amz-meta-a': '2'}})],
    [
      'another payload hash',
      headers => ({path: '/signed/x', headers: {...headers, 'x-amz-content-sha256': sha256('')}}),
    ],
    [
      'a cut signature',
      headers => ({
        path: '/signed/x',
        headers: {...headers, authorization: (headers['authorization'] ?? '').slice(0, -1)},
      }),
    ],
  ]
  for (const [what, change] of tampered) {
    it(`refuses ${what} than was signed`, async () => {
      const headers = await signHeaders(sandbox, {path: '/signed/x', headers: {'x-amz-meta-a': '1'}})
      expect((await sendRaw(sandbox, {path: '/signed/x', headers})).text).to.equal('content')
      const reply = await sendRaw(sandbox, change(headers))
      expect([reply.status, reply.code]).to.deep.equal([403, 'SignatureDoesNotMatch'])
    })
  }

  it('refuses clocks that are more than 15 minutes apart', async () => {
    for (const [skew, code] of [
      [-16, 'RequestTimeTooSkewed'],
      [16, 'RequestTimeTooSkewed'],
      [-14, ''],
      [14, ''],
    ] as const) {
      const headers = await signHeaders(sandbox, {path: '/signed/x'}, new Date(Date.now() + skew * MINUTE))
      expect((await sendRaw(sandbox, {path: '/signed/x', headers})).code, String(skew)).to.equal(code)
    }
  })

  it('signs headers with spaces, commas and umlauts, and queries in any order', async () => {
    const headers = {'x-amz-meta-a': 'a   b,  c', 'x-amz-meta-b': Buffer.from('größe').toString('latin1')}
    const put = await sendSigned(sandbox, {
      method: 'PUT',
      path: '/signed/headers',
      headers: {'x-amz-meta-a': headers['x-amz-meta-a']},
      body: '',
    })
    expect(put.status, put.text).to.equal(200)
    const query = {
      'max-keys': '10',
      prefix: 'ü +/&=~*',
      delimiter: '/',
      'list-type': '2',
      'encoding-type': 'url',
      'start-after': 'B',
    }
    expect((await sendSigned(sandbox, {path: '/signed', query})).status).to.equal(200)
  })

  describe('in URLs', () => {
    it('reads and writes, until they expire', async () => {
      expect((await sendRaw(sandbox, {path: await presign(sandbox, {path: '/signed/x'})})).text).to.equal('content')
      const put = await presign(sandbox, {method: 'PUT', path: '/signed/put'})
      const type = {'content-type': 'text/plain', 'content-md5': createHash('md5').update('by url').digest('base64')}
      expect((await sendRaw(sandbox, {method: 'PUT', path: put, headers: type, body: 'by url'})).status).to.equal(200)
      const got = await client.send(new GetObjectCommand({Bucket, Key: 'put'}))
      expect([await got.Body?.transformToString(), got.ContentType]).to.deep.equal(['by url', 'text/plain'])
      const wrong = await sendRaw(sandbox, {method: 'PUT', path: put, headers: type, body: 'other'})
      expect([wrong.status, wrong.code]).to.deep.equal([400, 'BadDigest'])
      const old = await presign(sandbox, {path: '/signed/x'}, {expiresIn: 60, date: new Date(Date.now() - 61_000)})
      const expired = await sendRaw(sandbox, {path: old})
      expect([expired.status, expired.code]).to.deep.equal([403, 'AccessDenied'])
      expect(expired.text).to.include('Request has expired')
      const early = await presign(sandbox, {path: '/signed/x'}, {date: new Date(Date.now() + 20 * MINUTE)})
      expect((await sendRaw(sandbox, {path: early})).code).to.equal('RequestTimeTooSkewed')
    })

    it('live at most seven days', async () => {
      const path = await presign(sandbox, {path: '/signed/x'}, {expiresIn: 7 * 24 * 3600})
      expect((await sendRaw(sandbox, {path})).text).to.equal('content')
      const changed = await sendRaw(sandbox, {path: path.replace('Expires=604800', 'Expires=604801')})
      expect([changed.status, changed.code]).to.deep.equal([400, 'AuthorizationQueryParametersError'])
      const longer = await sendRaw(sandbox, {path: path.replace('Expires=604800', 'Expires=604799')})
      expect([longer.status, longer.code]).to.deep.equal([403, 'SignatureDoesNotMatch'])
    })

    it('are for their method and key only', async () => {
      const path = await presign(sandbox, {path: '/signed/x'})
      expect((await sendRaw(sandbox, {method: 'HEAD', path})).status).to.equal(403)
      expect((await sendRaw(sandbox, {method: 'DELETE', path})).code).to.equal('SignatureDoesNotMatch')
      expect((await sendRaw(sandbox, {path: path.replace('/signed/x', '/signed/put')})).code).to.equal(
        'SignatureDoesNotMatch',
      )
      expect((await sendRaw(sandbox, {path: `${path}&tagging=`})).code).to.equal('SignatureDoesNotMatch')
      expect((await sendRaw(sandbox, {path: path.replace(/&?X-Amz-Date=[^&]*/u, '')})).code).to.equal(
        'AuthorizationQueryParametersError',
      )
    })

    it('refuse x-amz headers that were not signed', async () => {
      for (const name of ['x-amz-acl', 'x-amz-meta-a', 'x-amz-copy-source', 'x-amz-checksum-crc32', 'x-amz-tagging']) {
        const path = await presign(sandbox, {method: 'PUT', path: '/signed/x'})
        const reply = await sendRaw(sandbox, {method: 'PUT', path, headers: {[name]: 'signed/y'}, body: ''})
        expect([reply.status, reply.code], name).to.deep.equal([403, 'AccessDenied'])
        expect(reply.text).to.include('There were headers present in the request which were not signed')
        expect(reply.text).to.include(`<HeadersNotSigned>${name}</HeadersNotSigned>`)
      }
      const headers = await signHeaders(sandbox, {method: 'PUT', path: '/signed/x'})
      const added = await sendRaw(sandbox, {
        method: 'PUT',
        path: '/signed/x',
        headers: {...headers, 'x-amz-acl': 'public-read'},
        body: '',
      })
      expect([added.status, added.code]).to.deep.equal([403, 'AccessDenied'])
    })

    it('take x-amz parameters of the query for headers', async () => {
      const query = {
        'x-amz-checksum-crc32': crc32ToBase64(crc32('right')),
        'x-amz-meta-colour': 'grün',
        'x-amz-acl': 'public-read',
      }
      const path = await presign(sandbox, {method: 'PUT', path: '/signed/hoisted', query})
      const wrong = await sendRaw(sandbox, {method: 'PUT', path, body: 'wrong'})
      expect([wrong.status, wrong.code]).to.deep.equal([400, 'BadDigest'])
      const right = await sendRaw(sandbox, {method: 'PUT', path, body: 'right'})
      expect([right.status, right.headers['x-amz-checksum-crc32']]).to.deep.equal([200, query['x-amz-checksum-crc32']])
      const got = await sendRaw(sandbox, {path: '/signed/hoisted'})
      expect(Buffer.from(String(got.headers['x-amz-meta-colour']), 'latin1').toString()).to.equal('grün')
      const split = await presign(sandbox, {
        method: 'PUT',
        path: '/signed/split',
        query: {'x-amz-meta-a': 'a\r\nx-evil: 1'},
      })
      expect((await sendRaw(sandbox, {method: 'PUT', path: split, body: ''})).code).to.equal('InvalidArgument')
    })

    it('hold for signed headers, with their value only', async () => {
      const call = {method: 'PUT', path: '/signed/exact', headers: {'x-amz-meta-a': '1'}}
      const path = await presign(sandbox, call, {unhoistable: ['x-amz-meta-a']})
      expect((await sendRaw(sandbox, {method: 'PUT', path, headers: {'x-amz-meta-a': '1'}, body: ''})).status).to.equal(
        200,
      )
      expect((await sendRaw(sandbox, {method: 'PUT', path, headers: {'x-amz-meta-a': '2'}, body: ''})).code).to.equal(
        'SignatureDoesNotMatch',
      )
      expect((await sendRaw(sandbox, {method: 'PUT', path, body: ''})).code).to.equal('SignatureDoesNotMatch')
    })
  })

  describe('of bodies', () => {
    it('checks the hash of the payload', async () => {
      const call = {method: 'PUT', path: '/signed/hash', headers: {'x-amz-content-sha256': sha256('right')}}
      const headers = await signHeaders(sandbox, call)
      expect((await sendRaw(sandbox, {...call, headers, body: 'right'})).status).to.equal(200)
      const wrong = await sendRaw(sandbox, {...call, headers, body: 'wrong'})
      expect([wrong.status, wrong.code]).to.deep.equal([400, 'XAmzContentSHA256Mismatch'])
      const odd = await sendSigned(sandbox, {...call, headers: {'x-amz-content-sha256': 'nonsense'}, body: ''})
      expect([odd.status, odd.code]).to.deep.equal([400, 'InvalidArgument'])
    })

    /** Signs chunks as the specification says: an own implementation beside the server's. */
    const signChunks = async (
      chunks: string[],
      options: {trailer?: string; spoil?: 'chunk' | 'trailer' | 'order' | 'size'} = {},
    ) => {
      const word = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${options.trailer === undefined ? '' : '-TRAILER'}`
      const size = Buffer.byteLength(chunks.join(''))
      const call = {
        method: 'PUT',
        path: '/signed/chunks',
        headers: {
          'x-amz-content-sha256': word,
          'x-amz-decoded-content-length': String(options.spoil === 'size' ? size + 1 : size),
          'content-encoding': 'aws-chunked',
          ...(options.trailer !== undefined && {'x-amz-trailer': 'x-amz-checksum-crc32'}),
        },
      }
      const headers = await signHeaders(sandbox, call)
      const date = headers['x-amz-date'] ?? ''
      const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`
      const mac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
      const key = scope
        .split('/')
        .reduce<string | Buffer>((before, step) => mac(before, step), `AWS4${sandbox.secretAccessKey}`)
      let previous = /Signature=([\da-f]+)/u.exec(headers['authorization'] ?? '')?.[1] ?? ''
      let body = ''
      for (const chunk of [...chunks, '']) {
        previous = mac(
          key,
          ['AWS4-HMAC-SHA256-PAYLOAD', date, scope, previous, sha256(''), sha256(chunk)].join('\n'),
        ).toString('hex')
        const sent = options.spoil === 'chunk' && chunk === chunks[0] ? chunk.replace(/./u, '!') : chunk
        body += `${chunk.length.toString(16)};chunk-signature=${previous}\r\n${sent}${chunk === '' ? '' : '\r\n'}`
      }
      if (options.trailer !== undefined) {
        const line = `x-amz-checksum-crc32:${options.trailer}\n`
        previous = mac(key, ['AWS4-HMAC-SHA256-TRAILER', date, scope, previous, sha256(line)].join('\n')).toString(
          'hex',
        )
        const sent =
          options.spoil === 'trailer' ? previous.replace(/^./u, char => (char === '0' ? '1' : '0')) : previous
        body += `${line.trim()}\r\nx-amz-trailer-signature:${sent}\r\n`
      }
      return sendRaw(sandbox, {...call, headers, body: `${body}\r\n`})
    }
    const chunks = ['a'.repeat(70_000), 'b'.repeat(10)]
    const whole = chunks.join('')

    it('checks signed chunks', async () => {
      const reply = await signChunks(chunks)
      expect(reply.status, reply.text).to.equal(200)
      const got = await client.send(new GetObjectCommand({Bucket, Key: 'chunks'}))
      expect(await got.Body?.transformToString()).to.equal(whole)
      expect(got.ContentEncoding).to.equal(undefined)
      expect((await signChunks([])).status).to.equal(200)
    })

    it('checks signed trailers', async () => {
      const reply = await signChunks(chunks, {trailer: crc32ToBase64(crc32(whole))})
      expect([reply.status, reply.headers['x-amz-checksum-crc32']]).to.deep.equal([200, crc32ToBase64(crc32(whole))])
      expect((await signChunks(chunks, {trailer: crc32ToBase64(1)})).code).to.equal('BadDigest')
    })

    for (const [spoil, code] of [
      ['chunk', 'SignatureDoesNotMatch'],
      ['trailer', 'SignatureDoesNotMatch'],
      ['size', 'IncompleteBody'],
    ] as const) {
      it(`refuses a wrong ${spoil}`, async () => {
        expect((await signChunks(chunks, {trailer: crc32ToBase64(crc32(whole)), spoil})).code).to.equal(code)
      })
    }

    const unsigned = async (body: string, more: Record<string, string> = {}) => {
      const headers = {
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': '5',
        'x-amz-trailer': 'x-amz-checksum-crc32',
        ...more,
      }
      return sendSigned(sandbox, {method: 'PUT', path: '/signed/trailer', headers, body})
    }
    const trailer = `x-amz-checksum-crc32:${crc32ToBase64(crc32('hello'))}`

    it('reads unsigned chunks with a trailer', async () => {
      const reply = await unsigned(`3\r\nhel\r\n2\r\nlo\r\n0\r\n${trailer}\r\n\r\n`)
      expect([reply.status, reply.headers['x-amz-checksum-crc32']]).to.deep.equal([200, crc32ToBase64(crc32('hello'))])
    })

    const broken: [string, string, string][] = [
      ['a wrong trailer', `5\r\nhellO\r\n0\r\n${trailer}\r\n\r\n`, 'BadDigest'],
      ['no trailer', '5\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
      ['too little', `4\r\nhell\r\n0\r\n${trailer}\r\n\r\n`, 'IncompleteBody'],
      ['too much', `6\r\nhello!\r\n0\r\n${trailer}\r\n\r\n`, 'IncompleteBody'],
      ['no end', '5\r\nhello\r\n', 'IncompleteBody'],
      ['a size that is none', 'zz\r\nhello\r\n0\r\n\r\n', 'IncompleteBody'],
      ['a chunk without its end', `5\r\nhello0\r\n${trailer}\r\n\r\n`, 'IncompleteBody'],
      ['something after the end', `5\r\nhello\r\n0\r\n${trailer}\r\n\r\nmore`, 'IncompleteBody'],
    ]
    for (const [what, body, code] of broken) {
      it(`refuses ${what}`, async () => {
        const reply = await unsigned(body)
        expect([reply.status, reply.code]).to.deep.equal([400, code])
      })
    }

    it('refuses streams that it does not know', async () => {
      const headers = {'x-amz-content-sha256': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD'}
      expect((await sendSigned(sandbox, {method: 'PUT', path: '/signed/x', headers, body: ''})).status).to.equal(501)
    })
  })
})
