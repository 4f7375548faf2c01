import {expect} from 'chai'
import {isFailure} from '../../src/core/failure.ts'
import {crc32Body, digestBody} from '../../src/http/digest.ts'

describe('summing a body', () => {
  it('fails source-changed where the file became shorter, and does not wait for bytes that never come', async () => {
    const body = {size: 10, read: (_into: Buffer, position: number) => Promise.resolve(position < 4 ? 4 : 0)}
    for (const sum of [crc32Body, digestBody]) {
      const failure: unknown = await sum(body, new AbortController().signal).catch((error: unknown) => error)
      expect(isFailure(failure, 'source-changed')).to.equal(true)
    }
  })
})
