import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {isFailure, upload} from '../../src/index.ts'
import type {UploadOptions} from '../../src/index.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

describe('the library, given what nothing can be done with', () => {
  let file: string
  let access: UploadOptions

  before(async () => {
    const sandbox = await openSandbox()
    await openClient(sandbox).send(new CreateBucketCommand({Bucket: 'box'}))
    const {endpoint: endpointUrl, region, accessKeyId, secretAccessKey} = sandbox
    access = {endpointUrl, region, keys: {accessKeyId, secretAccessKey}}
    file = join(await makeTempFolder(), 'file.bin')
    await writeFile(file, Buffer.alloc(6 * 1024 ** 2))
  })
  after(closeAll)

  const ROWS: readonly (readonly [what: string, options: UploadOptions])[] = [
    ['no connection', {concurrency: 0}],
    ['half a connection', {concurrency: 1.5}],
    ['a concurrency that is no number', {concurrency: Number.NaN}],
    ['a part size that is no number', {partSize: Number.NaN}],
    ['a part with half a byte', {partSize: 5 * 1024 ** 2 + 0.5}],
    ['a time that is none', {retryFor: Number.NaN}],
    ['a header of two lines', {object: {contentType: 'text/plain\nx: y'}}],
    ['a name of metadata with a space', {object: {metadata: {'a b': 'c'}}}],
  ]
  for (const [what, options] of ROWS) {
    it(`fails at once, as usage: ${what}`, async () => {
      const failure: unknown = await upload(file, 's3://box/key', {...access, ...options}).catch(
        (error: unknown) => error,
      )
      expect(isFailure(failure) ? failure.code : failure).to.equal('usage')
    })
  }
})
