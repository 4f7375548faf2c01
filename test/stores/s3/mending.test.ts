import {expect} from 'chai'
import {Failure} from '../../../src/core/failure.ts'
import {AWS} from '../../../src/stores/s3/quirks.ts'
import type {Credentials} from '../../../src/stores/s3/sign.ts'
import {failureOf} from '../../http/support.ts'
import {answer, ENDPOINT, errorXml, md5Of, newCall, open, PATH, stopAnswering, target, textBody} from './wire.ts'
import type {Reply, Seen} from './wire.ts'

afterEach(stopAnswering)

const INFO: Reply = [200, '', {etag: '"e"'}]

function regionOf({headers}: Seen): string | undefined {
  return /Credential=[^/]+\/\d+\/(?<region>[^/]+)\//u.exec(headers['authorization'] ?? '')?.groups?.['region']
}

function keyIdOf({headers}: Seen): string | undefined {
  return /Credential=(?<id>[^/]+)\//u.exec(headers['authorization'] ?? '')?.groups?.['id']
}

/** HEAD has no body to say anything with. */
function get(store: ReturnType<typeof open>, at = target) {
  return store.read(at, undefined, () => {}, newCall())
}

describe('a region that is another', () => {
  const hints: [string, Reply][] = [
    ['a 301 with a header', [301, '', {'x-amz-bucket-region': 'eu-north-1'}]],
    ['a 400 with a header, as HEAD gets it', [400, '', {'x-amz-bucket-region': 'eu-north-1'}]],
    ['a 400 that names it', [400, errorXml('AuthorizationHeaderMalformed', 'Wrong.', '<Region>eu-north-1</Region>')]],
    [
      'a 400 that says it in words',
      [400, errorXml('AuthorizationHeaderMalformed', `The region 'us-east-1' is wrong; expecting 'eu-north-1'`)],
    ],
    ['a 301 that names it', [301, errorXml('PermanentRedirect', 'Elsewhere.', '<Region>eu-north-1</Region>')]],
  ]
  for (const [what, reply] of hints) {
    it(`is taken from ${what}, signed with once more, and remembered for the container`, async () => {
      const seen = answer(each => (regionOf(each) === 'eu-north-1' || each.path.startsWith('/other') ? INFO : reply))
      const store = open()
      expect(await get(store)).to.include({etag: 'e'})
      expect(seen.map(regionOf)).to.deep.equal(['us-east-1', 'eu-north-1'])
      await get(store, {...target, key: 'second'})
      await get(store, {...target, container: 'other'})
      expect(seen.slice(2).map(regionOf)).to.deep.equal(['eu-north-1', 'us-east-1'])
    })
  }

  it('changes the host too, on AWS', async () => {
    const hosts = ['us-east-1', 'eu-north-1'].map(region => `https://box.s3.${region}.amazonaws.com`)
    const seen = answer(
      each => (each.host.includes('eu-north-1') ? INFO : [301, '', {'x-amz-bucket-region': 'eu-north-1'}]),
      ...hosts,
    )
    const {connection} = open({quirks: AWS})
    const {endpoint: _, ...settings} = connection.settings
    const aws = open({...settings, endpoint: undefined as never})
    await aws.head(target, newCall())
    expect(seen.map(({host, path}) => `${host}${path}`)).to.deep.equal(
      hosts.map(host => `${host.slice(8)}/dir/a%20b%2Bc.txt`),
    )
  })

  it('is tried once: a store that names a third one is believed no more', async () => {
    let count = 0
    const seen = answer(() => [
      400,
      errorXml('AuthorizationHeaderMalformed', 'Wrong.', `<Region>r-${++count}</Region>`),
    ])
    expect(await failureOf(get(open()))).to.include({code: 'auth', retryable: false})
    expect(seen).to.have.length(2)
  })
})

describe('a redirect', () => {
  const other = 'http://other.test:9000'

  it('of 307 is followed to another host, signed anew, with the body sent again', async () => {
    const etag = {etag: `"${md5Of('hello')}"`}
    const seen = answer(
      ({host}) => (host === 'other.test:9000' ? [200, '', etag] : [307, '', {location: `${other}/ignored?x`}]),
      ENDPOINT,
      other,
    )
    const store = open()
    await store.putWhole(target, textBody('hello'), {}, newCall())
    expect(seen.map(({method, host, path, body}) => [method, host, path, body])).to.deep.equal([
      ['PUT', 'store.test:9000', PATH, 'hello'],
      ['PUT', 'other.test:9000', PATH, 'hello'],
    ])
    expect(seen[0]?.headers['authorization']).to.not.equal(seen[1]?.headers['authorization'])
    await store.putWhole(target, textBody('hello'), {}, newCall())
    expect(seen[2]?.host).to.equal('store.test:9000')
  })

  it('is followed three times at most', async () => {
    const seen = answer(() => [307, '', {location: `${ENDPOINT}/round`}])
    expect(await failureOf(open().head(target, newCall()))).to.be.instanceOf(Failure)
    expect(seen).to.have.length(4)
  })

  it('to plain http is refused', async () => {
    const origin = 'https://store.test:9000'
    const seen = answer(() => [307, '', {location: `${other}/x`}], origin, other)
    expect(await failureOf(open({endpoint: origin}).head(target, newCall()))).to.include({
      code: 'config',
      retryable: false,
    })
    expect(seen).to.have.length(1)
  })

  it('that names no place fails as any refusal', async () => {
    answer([[307], [307, '', {location: 'http://['}]])
    for (let turn = 0; turn < 2; turn++)
      expect(await failureOf(open().head(target, newCall()))).to.be.instanceOf(Failure)
  })
})

describe('a clock that is off', () => {
  it('is set by the Date of the refusal, once, and stays set', async () => {
    const truth = Date.now() + 3 * 3_600_000
    const seen = answer(({headers}) => {
      const [, year, month, day, hour, minute, second] =
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(headers['x-amz-date'] ?? '') ?? []
      const signed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
      return Math.abs(signed - truth) < 60_000
        ? INFO
        : [403, errorXml('RequestTimeTooSkewed'), {date: new Date(truth).toUTCString()}]
    })
    const store = open()
    expect(await get(store)).to.include({etag: 'e'})
    expect(seen).to.have.length(2)
    expect(await store.head(target, newCall())).to.include({etag: 'e'})
    expect(seen).to.have.length(3)
  })

  it('fails auth where the store says no time, or refuses the new one too', async () => {
    const seen = answer([
      [403, errorXml('RequestTimeTooSkewed'), {date: 'yesterday'}],
      [403, errorXml('RequestTimeTooSkewed'), {date: '+275760-09-13T00:00:00Z'}],
      [403, errorXml('RequestTimeTooSkewed'), {date: '-000001-01-01T00:00:00Z'}],
      [403, errorXml('RequestTimeTooSkewed'), {date: new Date(0).toUTCString()}],
      [403, errorXml('RequestTimeTooSkewed'), {date: new Date(0).toUTCString()}],
    ])
    const read = (): Promise<Error> => failureOf(open().read(target, undefined, () => {}, newCall()))
    for (let count = 0; count < 4; count++) expect(await read()).to.have.property('code', 'auth')
    expect(seen).to.have.length(5)
  })
})

describe('a HEAD that is refused without a word', () => {
  const bucket = {...target, key: ''}
  const methodsOf = (seen: readonly Seen[]): string[] => seen.map(({method}) => method)

  /** As stores do: the code stands in the body, and an answer to HEAD has none. */
  function refuse(
    isRight: (seen: Seen) => boolean,
    status: number,
    text: string,
    headers: Record<string, string> = {},
  ) {
    return answer(seen => (isRight(seen) ? INFO : [status, seen.method === 'HEAD' ? '' : text, headers]))
  }

  it('is asked again by GET, whose code names the region', async () => {
    const text = errorXml('AuthorizationHeaderMalformed', `The region 'us-east-1' is wrong; expecting 'eu-north-1'`)
    const seen = refuse(each => regionOf(each) === 'eu-north-1', 400, text)
    const store = open()
    expect(await store.head(target, newCall())).to.include({etag: 'e'})
    expect(seen.map(({method, path, headers}) => [method, path, headers['range']])).to.deep.equal([
      ['HEAD', PATH, undefined],
      ['GET', PATH, 'bytes=0-0'],
      ['HEAD', PATH, undefined],
    ])
    await store.head(target, newCall())
    expect(seen).to.have.length(4)
  })

  it('is asked again of a container, too, by a listing of one name', async () => {
    const text = errorXml('AuthorizationHeaderMalformed', 'Wrong.', '<Region>eu-north-1</Region>')
    const seen = refuse(each => regionOf(each) === 'eu-north-1', 400, text)
    const {connection} = open()
    await connection.request({method: 'HEAD', target: bucket}, {signal: newCall().signal})
    expect(seen.map(({method, path}) => [method, path])).to.deep.equal([
      ['HEAD', '/box'],
      ['GET', '/box?list-type=2&max-keys=1'],
      ['HEAD', '/box'],
    ])
  })

  it('tells a clock that is off, and credentials that ended', async () => {
    const truth = Date.now() + 3 * 3_600_000
    const hour = (time: number): string => new Date(time).toISOString().replaceAll(/[-:]/gu, '').slice(0, 11)
    const isNow = ({headers}: Seen): boolean => headers['x-amz-date']?.startsWith(hour(truth)) === true
    refuse(isNow, 403, errorXml('RequestTimeTooSkewed'), {date: new Date(truth).toUTCString()})
    expect(await open().head(target, newCall())).to.include({etag: 'e'})
    stopAnswering()
    const credentials = (renew: boolean): Credentials => ({accessKeyId: renew ? 'NEW' : 'OLD', secretAccessKey: 'x'})
    refuse(each => keyIdOf(each) === 'NEW', 400, errorXml('ExpiredToken'))
    expect(await open({credentials}).head(target, newCall())).to.include({etag: 'e'})
  })

  it('stands where the GET is denied too, and is asked once a container', async () => {
    const seen = refuse(() => false, 403, errorXml('AccessDenied'))
    const store = open()
    const places = [target, {...target, key: 'second'}, {...target, container: 'other'}]
    for (const place of places) {
      expect(await failureOf(store.head(place, newCall()))).to.include({code: 'forbidden', retryable: false})
    }
    expect(methodsOf(seen)).to.deep.equal(['HEAD', 'GET', 'HEAD', 'HEAD', 'GET'])
  })

  it('stands where the GET says nothing, succeeds, or has no answer', async () => {
    for (const [status, code] of [
      [400, 'usage'],
      [403, 'forbidden'],
    ] as const) {
      for (const reply of [[status], [200, 'x'.repeat(100)], [503, errorXml('SlowDown')], 'reset'] as const) {
        const seen = answer(({method}) => (method === 'HEAD' ? [status] : reply))
        const failure = await failureOf(open().head(target, newCall()))
        expect(failure, String(reply)).to.include({code, retryable: false})
        expect(failure).to.have.nested.property('context.status', status)
        // What is wrong with a request may be that it asks for checksums.
        const once = ['HEAD', 'GET']
        expect(methodsOf(seen)).to.deep.equal(status === 400 ? [...once, ...once] : once)
        stopAnswering()
      }
    }
  })

  it('is not asked again where it is understood', async () => {
    for (const reply of [[404], [412], [503], [401], INFO] as const) {
      const seen = answer([reply])
      await open()
        .head(target, newCall())
        .catch(() => {})
      expect(methodsOf(seen)).to.deep.equal(['HEAD'])
      stopAnswering()
    }
  })
})

describe('credentials that ended', () => {
  function sourceOf(next: () => Promise<Credentials>) {
    let renewals = 0
    const credentials = async (renew: boolean): Promise<Credentials> => {
      if (!renew) return {accessKeyId: 'OLD', secretAccessKey: 'x', sessionToken: 'old'}
      renewals++
      // Nobody's answer is waited for by chance: all eight refusals are in when this ends.
      await new Promise(resolve => setTimeout(resolve, 300))
      return next()
    }
    return {credentials, renewals: () => renewals}
  }
  const refuseOld = (each: Seen): Reply =>
    keyIdOf(each) === 'OLD' ? [400, errorXml('ExpiredToken')] : [200, '', {etag: `"${md5Of('x')}"`}]
  const session = {target, uploadId: 'u', options: {}, size: 8, partSize: 1, checksum: 'md5'} as const
  const putPart = (store: ReturnType<typeof open>, number: number) =>
    store.putPart(session, {number, offset: number - 1, size: 1}, textBody('x'), newCall())

  it('are renewed once for eight parts that fail at once', async () => {
    const source = sourceOf(() => Promise.resolve({accessKeyId: 'NEW', secretAccessKey: 'y', sessionToken: 'new'}))
    const seen = answer(refuseOld)
    const store = open({credentials: source.credentials})
    const receipts = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(number => putPart(store, number)))
    expect(receipts).to.have.length(8)
    expect(source.renewals()).to.equal(1)
    expect(seen.filter(each => keyIdOf(each) === 'OLD')).to.have.length(8)
    const fresh = seen.filter(each => keyIdOf(each) === 'NEW')
    expect(fresh).to.have.length(8)
    expect(fresh.every(({headers}) => headers['x-amz-security-token'] === 'new')).to.equal(true)
    await putPart(store, 9)
    expect([source.renewals(), keyIdOf(seen.at(-1)!)]).to.deep.equal([1, 'NEW'])
  })

  it('fail expired when the new ones are no better, with one renewal for all', async () => {
    const source = sourceOf(() => Promise.resolve({accessKeyId: 'OLD', secretAccessKey: 'x', sessionToken: 'old'}))
    const seen = answer(refuseOld)
    const store = open({credentials: source.credentials})
    const failures = await Promise.all([1, 2, 3, 4].map(number => failureOf(putPart(store, number))))
    for (const failure of failures) expect(failure).to.include({code: 'expired', retryable: false})
    expect([source.renewals(), seen.length]).to.deep.equal([1, 8])
    expect(await failureOf(putPart(store, 5))).to.have.property('code', 'expired')
    expect(source.renewals()).to.equal(2)
  })

  it('fail as the renewal fails, for all at once', async () => {
    const failure = new Failure('auth', 'Sign in again.')
    const source = sourceOf(() => Promise.reject(failure))
    answer(refuseOld)
    const store = open({credentials: source.credentials})
    const failures = await Promise.all([1, 2, 3, 4].map(number => failureOf(putPart(store, number))))
    expect(failures).to.deep.equal([failure, failure, failure, failure])
    expect(source.renewals()).to.equal(1)
  })

  it('are not renewed for a signature that is wrong, nor for a presigned request that expired', async () => {
    for (const code of ['SignatureDoesNotMatch', 'InvalidAccessKeyId', 'AccessDenied']) {
      const source = sourceOf(() => Promise.resolve({accessKeyId: 'NEW', secretAccessKey: 'y'}))
      const seen = answer([[403, errorXml(code)]])
      expect(await failureOf(putPart(open({credentials: source.credentials}), 1))).to.have.property('retryable', false)
      expect([source.renewals(), seen.length]).to.deep.equal([0, 1])
      stopAnswering()
    }
  })
})
