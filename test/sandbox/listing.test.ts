import {CreateBucketCommand, ListObjectsCommand, ListObjectsV2Command, PutObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {listKeys} from '../../src/sandbox/storage/listing.ts'
import {compareKeys} from '../../src/sandbox/storage/sorted-keys.ts'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {closeAll, codeOf, openClient, openSandbox, sendSigned} from './support.ts'

const KEYS = ['a', 'b/1', 'b/2', 'b/c/3', 'b0', 'd/', 'd/4', 'e é/5', 'f']
const Bucket = 'listing'

describe('sandbox listing', () => {
  let sandbox: Sandbox
  let client: S3Client

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket}))
    for (const Key of KEYS) await client.send(new PutObjectCommand({Bucket, Key, Body: Key}))
  })
  after(closeAll)

  for (const max of [1, 2, 3, 1000]) {
    for (const Delimiter of [undefined, '/']) {
      const wanted = Delimiter === undefined ? KEYS : ['a', 'b/', 'b0', 'd/', 'e é/', 'f']
      it(`lists ${Delimiter ? 'folded ' : ''}in pages of ${max}, both versions`, async () => {
        const second: string[] = []
        const first: string[] = []
        let ContinuationToken: string | undefined
        do {
          const page = await client.send(new ListObjectsV2Command({Bucket, Delimiter, MaxKeys: max, ContinuationToken}))
          second.push(
            ...[...(page.Contents ?? []), ...(page.CommonPrefixes ?? [])].map(
              each => ('Key' in each ? each.Key : (each as {Prefix?: string}).Prefix) ?? '',
            ),
          )
          expect(page.KeyCount).to.be.at.most(max)
          ContinuationToken = page.NextContinuationToken
        } while (ContinuationToken !== undefined)
        let Marker: string | undefined
        for (let more = true; more;) {
          const page = await client.send(new ListObjectsCommand({Bucket, Delimiter, MaxKeys: max, Marker}))
          first.push(
            ...[...(page.Contents ?? []), ...(page.CommonPrefixes ?? [])].map(
              each => ('Key' in each ? each.Key : (each as {Prefix?: string}).Prefix) ?? '',
            ),
          )
          Marker = page.NextMarker ?? page.Contents?.at(-1)?.Key
          more = page.IsTruncated ?? false
        }
        expect(second.toSorted(compareKeys)).to.deep.equal(wanted)
        expect(first.toSorted(compareKeys)).to.deep.equal(wanted)
      })
    }
  }

  it('takes prefix, start-after and encoding', async () => {
    const within = await client.send(new ListObjectsV2Command({Bucket, Prefix: 'b/', Delimiter: '/'}))
    expect(within.Contents?.map(each => each.Key)).to.deep.equal(['b/1', 'b/2'])
    expect(within.CommonPrefixes).to.deep.equal([{Prefix: 'b/c/'}])
    const after = await client.send(new ListObjectsV2Command({Bucket, StartAfter: 'd/'}))
    expect(after.Contents?.map(each => each.Key)).to.deep.equal(['d/4', 'e é/5', 'f'])
    const encoded = await client.send(
      new ListObjectsV2Command({Bucket, Prefix: 'e', EncodingType: 'url', FetchOwner: true}),
    )
    expect(encoded.Contents?.[0]?.Key).to.equal('e%20%C3%A9/5')
    expect(encoded.Contents?.[0]?.Owner?.ID).to.be.a('string')
    const nothing = await client.send(new ListObjectsV2Command({Bucket, MaxKeys: 0}))
    expect([nothing.KeyCount, nothing.IsTruncated]).to.deep.equal([0, false])
  })

  it('refuses what it does not understand', async () => {
    expect(await codeOf(client.send(new ListObjectsV2Command({Bucket, ContinuationToken: '!'})))).to.equal(
      'InvalidArgument',
    )
    expect(await codeOf(client.send(new ListObjectsV2Command({Bucket, MaxKeys: -1})))).to.equal('InvalidArgument')
    expect((await sendSigned(sandbox, {path: '/listing', query: {'list-type': '3'}})).code).to.equal('InvalidArgument')
    expect(await codeOf(client.send(new ListObjectsV2Command({Bucket: 'nowhere'})))).to.equal('NoSuchBucket')
  })

  it('pages give what one listing gives, whatever the keys', () => {
    const key = fc.string({
      unit: fc.constantFrom('a', 'b', '/', 'é', '\u{1F389}', '\uFFFD'),
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(key, {maxLength: 40}),
        fc.constantFrom('', '/', 'a'),
        fc.constantFrom('', 'a', 'a/'),
        fc.integer({min: 1, max: 5}),
        (names, delimiter, prefix, max) => {
          const keys = names.toSorted(compareKeys)
          const whole = listKeys(keys, {prefix, delimiter, after: '', max: 1000}).entries
          const paged: (typeof whole)[number][] = []
          let after = ''
          for (let page = 0; page < 100; page++) {
            const {entries, isTruncated} = listKeys(keys, {prefix, delimiter, after, max})
            paged.push(...entries)
            after = entries.at(-1)?.name ?? after
            if (!isTruncated) break
          }
          expect(paged).to.deep.equal(whole)
          const folded = new Set(
            keys
              .filter(each => each.startsWith(prefix))
              .map(each => {
                const at = delimiter === '' ? -1 : each.indexOf(delimiter, prefix.length)
                return at < 0 ? each : each.slice(0, at + delimiter.length)
              }),
          )
          expect(new Set(whole.map(each => each.name))).to.deep.equal(folded)
        },
      ),
      {numRuns: 500},
    )
  })

  it('orders keys as their bytes', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), fc.string({unit: 'binary'}), (a, b) => {
        expect(Math.sign(compareKeys(a, b))).to.equal(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
    )
  })
})
