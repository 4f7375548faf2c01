import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketCorsCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectCommand,
  DeletePublicAccessBlockCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {closeAll, codeOf, openClient, openSandbox, sendRaw, sendSigned} from './support.ts'

describe('sandbox buckets', () => {
  let sandbox: Sandbox
  let client: S3Client
  const Bucket = 'buckets'

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket}))
  })
  after(closeAll)

  it('makes, finds, lists and deletes', async () => {
    const made = await client.send(new CreateBucketCommand({Bucket: 'one'}))
    expect(made.Location).to.equal('/one')
    expect(await codeOf(client.send(new CreateBucketCommand({Bucket: 'one'})))).to.equal('BucketAlreadyOwnedByYou')
    expect((await client.send(new HeadBucketCommand({Bucket: 'one'}))).BucketRegion).to.equal('us-east-1')
    expect((await client.send(new ListBucketsCommand({}))).Buckets?.map(each => each.Name)).to.deep.equal([
      'buckets',
      'one',
    ])
    await client.send(new PutObjectCommand({Bucket: 'one', Key: 'x', Body: 'x'}))
    expect(await codeOf(client.send(new DeleteBucketCommand({Bucket: 'one'})))).to.equal('BucketNotEmpty')
    await client.send(new DeleteObjectCommand({Bucket: 'one', Key: 'x'}))
    await client.send(new CreateMultipartUploadCommand({Bucket: 'one', Key: 'x'}))
    await client.send(new DeleteBucketCommand({Bucket: 'one'}))
    expect(await codeOf(client.send(new HeadBucketCommand({Bucket: 'one'})))).to.equal('NotFound')
    expect(await codeOf(client.send(new PutObjectCommand({Bucket: 'one', Key: 'x', Body: 'x'})))).to.equal(
      'NoSuchBucket',
    )
    expect(await codeOf(client.send(new DeleteBucketCommand({Bucket: 'one'})))).to.equal('NoSuchBucket')
    await client.send(new CreateBucketCommand({Bucket: 'one'}))
  })

  it('keeps the location', async () => {
    const CreateBucketConfiguration = {LocationConstraint: 'eu-central-1' as const}
    await client.send(new CreateBucketCommand({Bucket: 'located', CreateBucketConfiguration}))
    expect((await client.send(new GetBucketLocationCommand({Bucket: 'located'}))).LocationConstraint).to.equal(
      'eu-central-1',
    )
    expect((await client.send(new GetBucketLocationCommand({Bucket}))).LocationConstraint ?? '').to.equal('')
    const wrong = await sendSigned(sandbox, {
      method: 'PUT',
      path: '/located2',
      body: '<CreateBucketConfiguration><LocationConstraint>a b</LocationConstraint></CreateBucketConfiguration>',
    })
    expect([wrong.status, wrong.code]).to.deep.equal([400, 'InvalidLocationConstraint'])
  })

  it('keeps CORS rules', async () => {
    const CORSRules = [
      {
        AllowedMethods: ['PUT', 'GET'],
        AllowedOrigins: ['https://*.example.com'],
        AllowedHeaders: ['*'],
        ExposeHeaders: ['ETag'],
        MaxAgeSeconds: 60,
      },
    ]
    expect(await codeOf(client.send(new GetBucketCorsCommand({Bucket})))).to.equal('NoSuchCORSConfiguration')
    await client.send(new PutBucketCorsCommand({Bucket, CORSConfiguration: {CORSRules}}))
    expect((await client.send(new GetBucketCorsCommand({Bucket}))).CORSRules).to.deep.equal(CORSRules)
    const wrong = {CORSRules: [{AllowedMethods: ['PATCH'], AllowedOrigins: ['*']}]}
    expect(await codeOf(client.send(new PutBucketCorsCommand({Bucket, CORSConfiguration: wrong})))).to.equal(
      'InvalidRequest',
    )
    await client.send(new DeleteBucketCorsCommand({Bucket}))
    expect(await codeOf(client.send(new GetBucketCorsCommand({Bucket})))).to.equal('NoSuchCORSConfiguration')
  })

  it('keeps a lifecycle', async () => {
    const Rules = [
      {
        ID: 'abort',
        Status: 'Enabled' as const,
        Filter: {Prefix: ''},
        AbortIncompleteMultipartUpload: {DaysAfterInitiation: 3},
      },
    ]
    expect(await codeOf(client.send(new GetBucketLifecycleConfigurationCommand({Bucket})))).to.equal(
      'NoSuchLifecycleConfiguration',
    )
    await client.send(new PutBucketLifecycleConfigurationCommand({Bucket, LifecycleConfiguration: {Rules}}))
    expect((await client.send(new GetBucketLifecycleConfigurationCommand({Bucket}))).Rules).to.deep.equal(Rules)
    await client.send(new DeleteBucketLifecycleCommand({Bucket}))
    const bad = await sendSigned(sandbox, {
      method: 'PUT',
      path: '/buckets',
      query: {lifecycle: ''},
      body: '<LifecycleConfiguration><Rule>',
    })
    expect([bad.status, bad.code]).to.deep.equal([400, 'MalformedXML'])
  })

  it('keeps encryption, tags and versioning', async () => {
    const Rules = [{ApplyServerSideEncryptionByDefault: {SSEAlgorithm: 'AES256' as const}, BucketKeyEnabled: false}]
    await client.send(new PutBucketEncryptionCommand({Bucket, ServerSideEncryptionConfiguration: {Rules}}))
    expect(
      (await client.send(new GetBucketEncryptionCommand({Bucket}))).ServerSideEncryptionConfiguration?.Rules,
    ).to.deep.equal(Rules)
    await client.send(new DeleteBucketEncryptionCommand({Bucket}))
    expect(await codeOf(client.send(new GetBucketEncryptionCommand({Bucket})))).to.equal(
      'ServerSideEncryptionConfigurationNotFoundError',
    )
    const TagSet = [{Key: 'a', Value: 'b'}]
    await client.send(new PutBucketTaggingCommand({Bucket, Tagging: {TagSet}}))
    expect((await client.send(new GetBucketTaggingCommand({Bucket}))).TagSet).to.deep.equal(TagSet)
    await client.send(new DeleteBucketTaggingCommand({Bucket}))
    expect((await client.send(new GetBucketVersioningCommand({Bucket}))).Status).to.equal(undefined)
    await client.send(new PutBucketVersioningCommand({Bucket, VersioningConfiguration: {Status: 'Enabled'}}))
    expect((await client.send(new GetBucketVersioningCommand({Bucket}))).Status).to.equal('Enabled')
  })

  it('opens to the public by policy, and the block closes it again', async () => {
    await client.send(new PutObjectCommand({Bucket, Key: 'open/a', Body: 'public'}))
    await client.send(new PutObjectCommand({Bucket, Key: 'closed', Body: 'private'}))
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/open/*`}],
    })
    expect(await codeOf(client.send(new GetBucketPolicyCommand({Bucket})))).to.equal('NoSuchBucketPolicy')
    await client.send(new PutBucketPolicyCommand({Bucket, Policy}))
    expect((await client.send(new GetBucketPolicyCommand({Bucket}))).Policy).to.equal(Policy)
    expect((await sendRaw(sandbox, {path: '/buckets/open/a'})).text).to.equal('public')
    expect((await sendRaw(sandbox, {method: 'HEAD', path: '/buckets/open/a'})).status).to.equal(200)
    expect((await sendRaw(sandbox, {path: '/buckets/closed'})).code).to.equal('AccessDenied')
    expect((await sendRaw(sandbox, {method: 'DELETE', path: '/buckets/open/a'})).code).to.equal('AccessDenied')
    expect((await sendRaw(sandbox, {path: '/buckets'})).code).to.equal('AccessDenied')
    const block = {BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}
    await client.send(new PutPublicAccessBlockCommand({Bucket, PublicAccessBlockConfiguration: block}))
    expect((await client.send(new GetPublicAccessBlockCommand({Bucket}))).PublicAccessBlockConfiguration).to.deep.equal(
      block,
    )
    expect((await sendRaw(sandbox, {path: '/buckets/open/a'})).code).to.equal('AccessDenied')
    await client.send(new DeletePublicAccessBlockCommand({Bucket}))
    expect((await sendRaw(sandbox, {path: '/buckets/open/a'})).text).to.equal('public')
    await client.send(new DeleteBucketPolicyCommand({Bucket}))
    expect((await sendRaw(sandbox, {path: '/buckets/open/a'})).code).to.equal('AccessDenied')
  })

  const closed: [string, object][] = [
    [
      'a condition',
      {
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:GetObject',
        Resource: 'arn:aws:s3:::policies/*',
        Condition: {IpAddress: {'aws:SourceIp': '10.0.0.0/8'}},
      },
    ],
    [
      'another principal',
      {Effect: 'Allow', Principal: {AWS: 'arn:aws:iam::1:root'}, Action: 's3:*', Resource: 'arn:aws:s3:::policies/*'},
    ],
    ['another action', {Effect: 'Allow', Principal: '*', Action: 's3:PutObject', Resource: 'arn:aws:s3:::policies/*'}],
    ['the bucket only', {Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::policies'}],
    ['NotPrincipal', {Effect: 'Allow', NotPrincipal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::policies/*'}],
  ]
  for (const [what, statement] of closed) {
    it(`stays closed with a policy for ${what}`, async () => {
      await client.send(new CreateBucketCommand({Bucket: 'policies'})).catch(() => undefined)
      await client.send(new PutObjectCommand({Bucket: 'policies', Key: 'x', Body: 'x'}))
      await client.send(
        new PutBucketPolicyCommand({
          Bucket: 'policies',
          Policy: JSON.stringify({Version: '2012-10-17', Statement: statement}),
        }),
      )
      expect((await sendRaw(sandbox, {path: '/policies/x'})).code).to.equal('AccessDenied')
    })
  }

  it('a Deny outweighs an Allow', async () => {
    const Resource = 'arn:aws:s3:::policies/*'
    const Statement = [
      {Effect: 'Allow', Principal: {AWS: ['*']}, Action: ['s3:Get*'], Resource: [Resource]},
      {Effect: 'Deny', Principal: '*', Action: '*', Resource: 'arn:aws:s3:::policies/secret*'},
    ]
    await client.send(new PutObjectCommand({Bucket: 'policies', Key: 'secret', Body: 's'}))
    await client.send(
      new PutBucketPolicyCommand({Bucket: 'policies', Policy: JSON.stringify({Version: '2012-10-17', Statement})}),
    )
    expect((await sendRaw(sandbox, {path: '/policies/x'})).text).to.equal('x')
    expect((await sendRaw(sandbox, {path: '/policies/secret'})).code).to.equal('AccessDenied')
  })

  it('refuses a policy that is none', async () => {
    for (const Policy of [
      'nonsense',
      '{}',
      '{"Statement":{"Effect":"Maybe"}}',
      '{"Statement":{"Effect":"Allow","Resource":"arn:aws:s3:::other/*"}}',
    ]) {
      expect(await codeOf(client.send(new PutBucketPolicyCommand({Bucket, Policy})))).to.equal('MalformedPolicy')
    }
  })

  it('lists for everybody with a public ACL', async () => {
    await client.send(new CreateBucketCommand({Bucket: 'public', ACL: 'public-read'}))
    expect((await sendRaw(sandbox, {path: '/public'})).status).to.equal(200)
    expect((await client.send(new GetBucketAclCommand({Bucket: 'public'}))).Grants).to.have.length(2)
    await client.send(new PutBucketAclCommand({Bucket: 'public', ACL: 'private'}))
    expect((await sendRaw(sandbox, {path: '/public'})).code).to.equal('AccessDenied')
  })

  const unsupported = [
    'versions',
    'replication',
    'website',
    'logging',
    'notification',
    'accelerate',
    'object-lock',
    'metrics',
    'inventory',
    'something-new',
  ]
  for (const name of unsupported) {
    it(`answers ?${name} with 501 and does nothing else`, async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const reply = await sendSigned(sandbox, {method, path: '/unsupported', query: {[name]: ''}})
        expect([reply.status, reply.code], method).to.deep.equal([501, 'NotImplemented'])
      }
      expect(await codeOf(client.send(new HeadBucketCommand({Bucket: 'unsupported'})))).to.equal('NotFound')
    })
  }

  it('answers two sub-resources at once, and unknown methods, with a refusal', async () => {
    expect((await sendSigned(sandbox, {path: '/buckets', query: {cors: '', policy: ''}})).status).to.equal(501)
    expect((await sendSigned(sandbox, {path: '/buckets/x', query: {uploadId: '1', tagging: ''}})).status).to.equal(501)
    expect((await sendSigned(sandbox, {method: 'PATCH', path: '/buckets/x'})).code).to.equal('MethodNotAllowed')
    expect((await sendSigned(sandbox, {method: 'POST', path: '/buckets/x', query: {restore: ''}})).status).to.equal(501)
    expect((await sendSigned(sandbox, {path: '/buckets/x', query: {versionId: 'abc'}})).code).to.equal('NoSuchVersion')
    expect((await sendSigned(sandbox, {path: '//buckets'})).code).to.equal('InvalidBucketName')
  })
})
