import {CreateBucketCommand, PutBucketCorsCommand, PutObjectCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {closeAll, openClient, openSandbox, presign, sendRaw} from './support.ts'

describe('sandbox CORS', () => {
  let sandbox: Sandbox

  before(async () => {
    sandbox = await openSandbox()
    const client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'plain'}))
    await client.send(new CreateBucketCommand({Bucket: 'cors'}))
    await client.send(new PutObjectCommand({Bucket: 'cors', Key: 'x', Body: 'x'}))
    const CORSRules = [
      {
        AllowedOrigins: ['http://*.example.com', 'https://exact.example'],
        AllowedMethods: ['PUT', 'GET'],
        AllowedHeaders: ['Content-*', 'x-amz-meta-a'],
        ExposeHeaders: ['ETag', 'x-amz-request-id'],
        MaxAgeSeconds: 300,
      },
      {AllowedOrigins: ['*'], AllowedMethods: ['HEAD'], AllowedHeaders: ['*']},
    ]
    await client.send(new PutBucketCorsCommand({Bucket: 'cors', CORSConfiguration: {CORSRules}}))
  })
  after(closeAll)

  const ask = async (origin: string, method: string, headers?: string, path = '/cors/x') =>
    sendRaw(sandbox, {
      method: 'OPTIONS',
      path,
      headers: {
        origin,
        'access-control-request-method': method,
        ...(headers && {'access-control-request-headers': headers}),
      },
    })

  it('allows what a rule allows', async () => {
    const reply = await ask('http://www.example.com', 'PUT', 'Content-Type, content-md5,x-amz-meta-a')
    expect(reply.status).to.equal(200)
    expect(reply.headers).to.include({
      'access-control-allow-origin': 'http://www.example.com',
      'access-control-allow-methods': 'PUT, GET',
      'access-control-allow-headers': 'content-type, content-md5, x-amz-meta-a',
      'access-control-expose-headers': 'ETag, x-amz-request-id',
      'access-control-max-age': '300',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    })
  })

  it('answers everybody with a star', async () => {
    const reply = await ask('null', 'HEAD', 'anything')
    expect(reply.headers['access-control-allow-origin']).to.equal('*')
    expect(reply.headers).not.to.have.property('access-control-allow-credentials')
  })

  const refused: [string, string, string, string?][] = [
    ['another origin', 'http://example.com', 'PUT'],
    ['an origin that only ends alike', 'http://www.example.com.evil', 'PUT'],
    ['another scheme', 'https://www.example.com', 'PUT'],
    ['another method', 'http://www.example.com', 'DELETE'],
    ['another header', 'http://www.example.com', 'PUT', 'authorization'],
  ]
  for (const [what, origin, method, headers] of refused) {
    it(`refuses ${what}`, async () => {
      const reply = await ask(origin, method, headers)
      expect([reply.status, reply.code]).to.deep.equal([403, 'AccessForbidden'])
      expect(reply.headers).not.to.have.property('access-control-allow-origin')
    })
  }

  it('refuses where no rules are, and questions without an origin', async () => {
    expect((await ask('http://a', 'PUT', '', '/plain/x')).code).to.equal('AccessForbidden')
    expect((await ask('http://a', 'PUT', '', '/nowhere/x')).code).to.equal('AccessForbidden')
    expect((await sendRaw(sandbox, {method: 'OPTIONS', path: '/cors/x'})).status).to.equal(400)
    expect((await ask('http://a', 'PATCH')).status).to.equal(400)
  })

  it('tells pages from the internet that they may speak to this machine', async () => {
    const headers = {
      origin: 'https://exact.example',
      'access-control-request-method': 'PUT',
      'access-control-request-private-network': 'true',
    }
    const reply = await sendRaw(sandbox, {method: 'OPTIONS', path: '/cors/x', headers})
    expect(reply.headers['access-control-allow-private-network']).to.equal('true')
  })

  it('puts the headers on answers, and on refusals, of allowed origins', async () => {
    const origin = 'https://exact.example'
    const path = await presign(sandbox, {method: 'PUT', path: '/cors/y'})
    const put = await sendRaw(sandbox, {method: 'PUT', path, headers: {origin}, body: 'y'})
    expect(put.headers).to.include({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'ETag, x-amz-request-id',
    })
    const refusal = await sendRaw(sandbox, {path: '/cors/x', headers: {origin}})
    expect([refusal.status, refusal.headers['access-control-allow-origin']]).to.deep.equal([403, origin])
    const other = await sendRaw(sandbox, {method: 'PUT', path, headers: {origin: 'http://other'}, body: 'y'})
    expect([other.status, other.headers['access-control-allow-origin']]).to.deep.equal([200, undefined])
  })
})
