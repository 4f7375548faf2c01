import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, HeadObjectCommand, ListMultipartUploadsCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {Failure, isFailure, mintTicket, openStore, parseTarget, upload} from '../../src/index.ts'
import type {FailureCode, Remote, S3Keys, Store, StoreOptions, UploadSink} from '../../src/index.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

/** As a program without types has it. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- whoever lies says about what
const untyped = <T>(value: unknown): T => value as T
const target = parseTarget('s3://box/key')
const wish = {size: {max: 10}, contentType: 'text/plain', expiresIn: 60_000}

describe('the library, given what has not its types', () => {
  let file: string
  let client: S3Client
  let keys: S3Keys
  let access: StoreOptions
  let store: Store

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    const {endpoint: endpointUrl, region, accessKeyId, secretAccessKey} = sandbox
    keys = {accessKeyId, secretAccessKey}
    access = {endpointUrl, region, keys}
    store = await openStore('s3', access)
    file = join(await makeTempFolder(), 'file.bin')
    await writeFile(file, Buffer.alloc(6 * 1024 ** 2))
  })
  after(closeAll)

  const ROWS: readonly (readonly [what: string, run: () => unknown, words: RegExp, code?: FailureCode])[] = [
    ['no target', () => upload(file, untyped(undefined), access), /^A target is .* and not undefined\.$/u],
    ['half a target', () => upload(file, untyped({remote: 's3'}), access), /^The container of the target is/u],
    ['a number as path', () => upload(untyped(5), target, access), /^The path is a text, and not 5\.$/u],
    ['an empty path', () => upload('', target, access), /^The path is a text, and not an empty one\.$/u],
    ['no options', () => upload(file, target, untyped(null)), /and not null\.$/u],
    ['a number as state folder', () => upload(file, target, {...access, stateFolder: untyped(5)}), /^stateFolder is/u],
    ['a number as signal', () => upload(file, target, {...access, signal: untyped(5)}), /^signal is an AbortSignal/u],
    ['a text as sink', () => upload(file, target, {...access, onEvent: untyped('x')}), /^onEvent is a function/u],
    ['no keys', () => upload(file, target, {...access, keys: untyped(null)}), /^keys is an object or a function/u],
    ['too much at once', () => upload(file, target, {...access, concurrency: 1e6}), /^concurrency is .* 1 to 256/u],
    ['no wish', () => mintTicket(target, untyped(undefined), access), /^What is wished of a ticket/u],
    [
      'an empty wish',
      () => mintTicket(target, untyped({}), access),
      /^size is \{max\} or \{exact\}, and not undefined/u,
    ],
    ['a ticket for less than nothing', () => mintTicket(target, {...wish, size: {max: -1}}, access), /^size\.max is/u],
    ['a ticket for a text', () => mintTicket(target, {...wish, size: {max: untyped('5')}}, access), /^size\.max is/u],
    ['a ticket for no number', () => mintTicket(target, {...wish, size: {max: Number.NaN}}, access), /^size\.max is/u],
    ['a ticket for half a byte', () => mintTicket(target, {...wish, size: {exact: 0.5}}, access), /^size\.exact is/u],
    ['a ticket for no time', () => mintTicket(target, {...wish, expiresIn: untyped(undefined)}, access), /^expiresIn/u],
    ['a ticket for a container', () => mintTicket('s3://box', wish, access), /^A key is needed/u],
    ['no remote', () => openStore(untyped(undefined)), /^A remote is .* and not undefined\.$/u],
    ['a name that nobody knows', () => openStore(untyped('x')), /knows s3 and swift, and not "x"\.$/u, 'config'],
    ['an empty remote', () => openStore(untyped({})), /knows s3 and swift, and not undefined\.$/u, 'config'],
    ['another provider', () => openStore(untyped({provider: 'gcs', name: 'g'})), /and not "gcs"\.$/u, 'config'],
    ['a remote without a name', () => openStore(untyped({provider: 's3'})), /^The name of the remote is a text/u],
    [
      'a remote with an empty name',
      () => openStore({provider: 's3', name: ''}),
      /^The name of the remote is a text, and not an empty one\.$/u,
    ],
    ['no call', () => store.head(target, untyped(undefined)), /^The call of head is \{signal\}/u],
    [
      'a listing without a call',
      () => store.list(target, untyped({}))[Symbol.asyncIterator]().next(),
      /^The call of list/u,
    ],
    ['no place', () => store.head(untyped(undefined), {signal: new AbortController().signal}), /^A target is/u],
  ]
  for (const [what, run, words, code = 'usage'] of ROWS) {
    it(`fails as ${code} and names it: ${what}`, async () => {
      const failure = await rejection(run)
      expect(failure.message).to.match(words)
      expect(failure.code, failure.message).to.equal(code)
    })
  }

  it('leaves nothing at the store', async () => {
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))
    expect(Uploads).to.deep.equal([])
  })

  it('leaves nothing at the store when what it is told throws, and rejects with that', async () => {
    const thrown = new Error('of the caller')
    for (const at of ['start', 'stored', 'finishing']) {
      const onEvent: UploadSink = ({event}) => {
        if (event === at) throw thrown
      }
      const failure = await rejection(() => upload(file, target, {...access, partSize: 5 * 1024 ** 2, onEvent}))
      expect(failure.cause).to.equal(thrown)
    }
    const fail = (): never => {
      throw thrown
    }
    expect(await upload(file, target, {...access, onEvent: fail}).catch((error: unknown) => error)).to.equal(thrown)
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))
    expect(Uploads).to.deep.equal([])
  })

  it('takes keys from a function that has them at hand, of options and of a remote', async () => {
    await upload(file, 's3://box/at-hand', {...access, keys: () => keys})
    await client.send(new HeadObjectCommand({Bucket: 'box', Key: 'at-hand'}))
    const {endpointUrl = '', region = ''} = access
    const remote = {provider: 's3', name: 'r2', endpointUrl, region, keys: () => keys}
    const opened = await openStore(untyped<Remote>(remote))
    const {size} = await opened.head(parseTarget('s3://box/at-hand'), {signal: new AbortController().signal})
    expect(size).to.equal(6 * 1024 ** 2)
  })

  it('rejects with a Failure when a signal was aborted, with that of its reason where it is one', async () => {
    const own = new Failure('terminated', 'Enough.')
    const verbs = [
      (signal: AbortSignal) => store.head(target, {signal}),
      (signal: AbortSignal) => store.list(target, {signal})[Symbol.asyncIterator]().next(),
      (signal: AbortSignal) => upload(file, target, {...access, signal}),
      (signal: AbortSignal) => mintTicket(target, wish, {...access, signal}),
    ]
    for (const verb of verbs) {
      const failure = await rejection(() => verb(AbortSignal.abort()))
      expect(failure.code, String(verb)).to.equal('interrupted')
      expect(failure.cause).to.have.property('name', 'AbortError')
      expect(await rejection(() => verb(AbortSignal.abort(own)))).to.equal(own)
    }
  })
})

async function rejection(run: () => unknown): Promise<Failure> {
  try {
    await run()
  } catch (error) {
    if (isFailure(error)) return error
    throw error
  }
  throw new Error('It did not fail.')
}
