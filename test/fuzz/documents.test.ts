import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {validateHeaderName, validateHeaderValue} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {readFailed} from '../../src/cli/failed-results.ts'
import {fileFindings} from '../../src/cli/findings-file.ts'
import {readPathList} from '../../src/cli/path-list.ts'
import {readReceipt} from '../../src/cli/receipt-file.ts'
import {readSavedRemote} from '../../src/cli/saved-remote.ts'
import {connectSaved} from '../../src/cli/saved-connection.ts'
import {remoteToJson} from '../../src/cli/remote-words.ts'
import {createFilter} from '../../src/cli/source-filter.ts'
import {readTickets} from '../../src/cli/ticket-file.ts'
import {describeTicket, ticketToJson} from '../../src/cli/ticket-words.ts'
import {readUrlFlags} from '../../src/cli/url-file.ts'
import {describeUrl} from '../../src/cli/url-words.ts'
import {MIB} from '../../src/core/sizes.ts'
import {parseXml} from '../../src/core/xml.ts'
import {readHolder} from '../../src/state/lock.ts'
import {readSignedUrl} from '../../src/stores/open.ts'
import {findAuth} from '../../src/stores/swift/find-auth.ts'
import {partUrl, parseTicket, ticketEndpoint, ticketLimits} from '../../src/stores/ticket/ticket.ts'
import {parseJournal} from '../../src/upload/journal-format.ts'
import {takeRunJournal} from '../../src/upload/run-journal.ts'
import {SAMPLES} from '../stores/ticket/samples.ts'
import {fuzz, fuzzAsync, RUNS} from './fuzz.ts'
import {expectLinear} from './growth.ts'
import {anyDocument, anyText, mutated} from './inputs.ts'

const JSON_WORDS = ['{', '}', '[', ']', '"', ':', ',', '1', 'a', '\\', '\n', ' ']

const HEAD = {
  version: 1,
  identity: {store: 'http://h', path: '/f', target: {remote: 's3', container: 'c', key: 'k'}},
  session: {
    target: {remote: 's3', container: 'c', key: 'k'},
    uploadId: 'u',
    options: {metadata: {a: 'b'}},
    size: 50 * MIB,
    partSize: 5 * MIB,
    checksum: 'crc32',
  },
  file: {size: 50 * MIB, mtimeNs: '1', ctimeNs: '2', inode: '3'},
  started: '2026-11-21T05:00:00.000Z',
}
const RECEIPT = {number: 1, size: 5 * MIB, etag: 'ab'.repeat(16), crc32: '00ff00ff'}
const RUN_HEAD = {version: 1, store: 's', target: 't', sources: ['/a'], options: '{}', started: HEAD.started}
const FINISHED = {key: 'a/ü', size: 5, mtimeNs: '12', etag: 'ab'}
const RESULT = {
  ...{v: 1, status: 'failed', source: 'a/b', path: '/c/a/b', container: 'c', key: 'a/b'},
  ...{code: 'network', message: 'No.'},
}

describe('fuzz: documents', function () {
  this.timeout(0)
  let folder: string
  let file: string

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'skylift-fuzz-'))
    file = join(folder, 'file')
  })
  after(() => rmSync(folder, {recursive: true, force: true}))

  /** One file that is written again and again: what is tried is its content. */
  function holding(text: string): string {
    writeFileSync(file, text)
    return file
  }

  function useTicket(text: string): void {
    const ticket = parseTicket(text)
    expect(ticketLimits(ticket).object).to.be.at.least(0)
    ticketEndpoint(ticket)
    describeTicket(ticket)
    JSON.stringify(ticketToJson(ticket))
    if (!('parts' in ticket)) return void new URL(ticket.put)
    expect(URL.canParse(partUrl(ticket, 1))).to.equal(true)
    expect(URL.canParse(partUrl(ticket, ticket.parts.count))).to.equal(true)
  }

  it('a ticket', () => {
    fuzz(anyDocument(SAMPLES), useTicket)
    expectLinear(parseTicket, JSON_WORDS, SAMPLES.map(each => JSON.stringify(each)).slice(0, 1))
  })

  it('a page with tickets in it', async () => {
    const page = (json: string): string =>
      `<!doctype html><html><script type="application/json" id="page-data">${json}</script></html>`
    const texts = fc.oneof(anyDocument([{title: 'x', tickets: SAMPLES}]).map(page), mutated([page('{"tickets":[]}')]))
    await fuzzAsync(texts, text => readTickets(holding(text)))
  })

  it('a journal', () => {
    const lines = fc.array(anyDocument([HEAD, RECEIPT]), {maxLength: 3})
    const whole = [HEAD, RECEIPT].map(each => JSON.stringify(each)).join('\n')
    const texts = fc.oneof(
      mutated([whole], ['\n', '{', '}', '"', 'null']),
      lines.map(all => all.join('\n')),
      lines.map(all => [JSON.stringify(HEAD), ...all].join('\n')),
    )
    fuzz(texts, text => {
      for (const [number, {size, crc32}] of parseJournal(text)?.receipts ?? []) {
        expect([number > 0, size >= 0, crc32.length]).to.deep.equal([true, true, 8])
      }
    })
    expectLinear(parseJournal, JSON_WORDS, [whole])
  })

  it('the journal of a run', async () => {
    const lines = fc.array(anyDocument([RUN_HEAD, FINISHED]), {maxLength: 3})
    const texts = fc.oneof(
      mutated([[RUN_HEAD, FINISHED, FINISHED].map(each => JSON.stringify(each)).join('\n')]),
      lines.map(all => [JSON.stringify(RUN_HEAD), ...all].join('\n')),
    )
    const identity = {store: 's', target: 't', sources: ['/a']}
    const first = await takeRunJournal(folder, identity, '{}', () => {})
    first.add(FINISHED)
    await first.end('keep')
    const [name = ''] = (await import('node:fs')).readdirSync(join(folder, 'runs'))
    await fuzzAsync(texts, async text => {
      writeFileSync(join(folder, 'runs', name), text, {mode: 0o600})
      const journal = await takeRunJournal(folder, identity, '{}', () => {})
      const finished = journal.openFinished()
      await finished.find('a')
      await finished.find('\u00FF'.repeat(10))
      await finished.close()
      journal.add(FINISHED)
      await journal.end('keep')
    })
  })

  it('a lock', async () => {
    const holder = {token: 'abcd', pid: 1, started: 'x/1', host: 'h', pidNamespace: 'pid:[1]'}
    await fuzzAsync(anyDocument([holder]), text => readHolder(holding(text)))
  })

  it('what was learned of endpoints', () => {
    const samples = [{'http://h:1': {checksum: 'crc32', conditionalPut: true}}]
    fuzz(anyDocument(samples), text => {
      writeFileSync(join(folder, 'endpoints.json'), text)
      const {checksum, conditionalPut} = fileFindings(folder).get('http://h:1')
      expect(checksum).to.be.oneOf(['crc32', 'md5', undefined])
      expect(conditionalPut).to.be.oneOf([true, false, undefined])
    })
  })

  it('a receipt', async () => {
    const receipt = {version: 1, target: 's3://c/k', size: 5, etag: 'e', partSize: 5, parts: [RECEIPT], uploaded: 'x'}
    await fuzzAsync(anyDocument([receipt]), async text => {
      const {parts} = await readReceipt(holding(text))
      for (const part of parts) expect(part).to.include.keys('number', 'size', 'etag', 'crc32')
    })
  })

  it('a file of results', async () => {
    const lines = fc.array(anyDocument([RESULT]), {minLength: 1, maxLength: 4}).map(all => all.join('\n'))
    const target = {remote: 's3', container: 'c', key: ''}
    const walk = {symlinks: 'follow', isWanted: () => true, tell() {}} as const
    await fuzzAsync(fc.oneof(lines, anyText(['\n', '{', '"'])), async text => {
      for await (const {name, path} of readFailed(holding(text), target, walk)) {
        expect([typeof name, typeof path]).to.deep.equal(['string', 'string'])
      }
    })
  })

  it('a list of files', async () => {
    const texts = fc.oneof(anyText(['\n', '\0', '\r\n', '/', './', '..', 'a']), mutated(['a/b\n./c\n../d\n/e\n']))
    await fuzzAsync(texts, async text => {
      for await (const {name} of readPathList(holding(text), folder, () => true)) expect(name).to.be.a('string')
    })
  })

  it('an ignore file', async () => {
    const words = ['*', '**', '/', '!', '#', '\\', '[', ']', 'a', '\n', ' ', '?', '[a-', '{', '(', '|', '+', '$', '^']
    const texts = fc.oneof(anyText(words, 60), mutated(['*.log\n!keep.log\n/build/\n**/a[b-d]?\n'], words))
    await fuzzAsync(texts, async text => {
      const isWanted = await createFilter({symlinks: 'follow', 'ignore-file': [holding(text)]})
      for (const name of ['a', 'a/b', 'build/', 'x/a c.log', `${'a'.repeat(40)}/b`]) isWanted(name)
    })
  })

  it('a pattern of --include and --exclude', async () => {
    const words = ['*', '**', '/', '!', '\\', '[', ']', 'a', ' ', '?', '[a-', '[z-a]', '{', '(', '|', '+', '$', '^']
    await fuzzAsync(fc.tuple(anyText(words, 60), anyText(words, 60)), async ([include, exclude]) => {
      const isWanted = await createFilter({symlinks: 'follow', include: [include], exclude: [exclude]})
      for (const name of ['a', 'a/b', 'build/', 'x/a c.log', `${'a'.repeat(40)}/b`]) isWanted(name)
    })
  })

  it('clouds.yaml', async () => {
    const yaml = `clouds:
  mine: &base
    profile: vendor
    auth_type: v3password
    auth: {auth_url: "https://k:5000/v3", username: u, password: 'p', project_name: p, user_domain_name: Default}
    region_name: RegionOne
    interface: public
    verify: false
  yours:
    <<: *base
    auth:
      application_credential_id: 5
      application_credential_secret: x
      auth_url: https://k/v3
`
    const words = [...'clouds: mine: &base *base << [ ] { } | > - ! !!binary %YAML --- ? # "'.split(' '), '\n', '  ']
    const texts = fc.oneof(
      mutated([yaml], words),
      anyText(words),
      anyDocument([{clouds: {mine: {auth: {auth_url: 'x'}}}}]),
    )
    const folders = {current: folder, system: '/nonexistent'}
    await fuzzAsync(texts, async text => {
      writeFileSync(join(folder, 'clouds.yaml'), text)
      const {auth} = await findAuth(
        {provider: 'swift', name: 'swift', cloud: 'mine'},
        {env: {}, home: '/nonexistent'},
        folders,
      )
      for (const value of Object.values(auth)) expect(value).to.be.a('string')
    })
  })

  it('a saved remote', async () => {
    const samples = [
      {provider: 's3', endpointUrl: 'https://h', region: 'r', accessKeyId: 'a', secret: {value: 's'}},
      {
        provider: 'swift',
        auth: {method: 'v3-password', authUrl: 'https://k/v3', user: 'u', project: 'p'},
        secret: {env: 'SECRET'},
        region: 'r',
        interface: 'public',
      },
    ]
    // A command of a file that only its owner can write may be anything, and is run: none is made up here.
    const texts = anyDocument(samples).filter(text => !text.includes('"command"'))
    await fuzzAsync(texts, async text => {
      const saved = readSavedRemote('mine', JSON.parse(isJson(text) ? text : 'null'))
      JSON.stringify(remoteToJson({name: 'mine', saved}))
      await connectSaved('mine', saved, {}, {SECRET: 'x'})
    })
  })

  it('XML', () => {
    const words = ['<', '>', '/', '"', "'", '&', ';', '#x', '<!--', '-->', '<![CDATA[', ']]>', '<?', 'a', ' ', '=']
    const sample =
      '<?xml version="1.0"?><ListPartsResult xmlns="http://x"><Part><PartNumber>1</PartNumber><ETag>&quot;e&quot;</ETag></Part><!--c--></ListPartsResult>'
    fuzz(fc.oneof(mutated([sample], words), anyText([...words, '<a>', '</a>'])), parseXml)
    expectLinear(parseXml, [...words, '<a>', '</a>', '&amp;', '<a b="c">'], [sample])
  })

  it('URLs to upload to', async () => {
    const v4 =
      'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20300102%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=29990102T030405Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host%3Bcontent-type&X-Amz-Signature=ab'
    const samples = [
      `https://s3.example.com:8443/box/a%20dir/%C3%BC%3F.txt?${v4}`,
      'https://box.example.com/k?AWSAccessKeyId=AK&Signature=ab%3D&Expires=32503680000&x-amz-acl=private',
      'https://swift.example.com/v1/AUTH_a/c/k?temp_url_sig=ab&temp_url_expires=32503680000&temp_url_prefix=k',
      'https://swift.example.com/v1/AUTH_a/c/k?temp_url_sig=ab&temp_url_expires=2999-01-01T00:00:00Z&temp_url_ip_range=1.2.3.0/24',
    ]
    const words = ['?', '&', '=', '/', '%', ':', '@', '#', ';', 'X-Amz-Date=', 'temp_url_expires=', '-1', '[', ']']
    const urls = fc.oneof(mutated(samples, words), withOddParameter(samples), anyText(words))
    await fuzzAsync(urls, async url => {
      const signed = await readSignedUrl({url}, {})
      describeUrl(signed)
      expect(URL.canParse(signed.origin)).to.equal(true)
    })
    const now = 0
    expectLinear(text => void readSignedUrl({url: text}, {}, now).catch(() => {}), words, samples.slice(0, 1))
  })

  it('forms and what temp-url --json prints', async () => {
    const policy = {
      expiration: '2999-01-02T04:04:05Z',
      conditions: [
        {bucket: 'box'},
        ['starts-with', '$key', 'in/'],
        ['content-length-range', 0, 2048],
        ['eq', '$Content-Type', 'text/plain'],
      ],
    }
    const form = (text: string): object => ({
      url: 'https://s3.example.com/box',
      fields: {key: 'in/${filename}', policy: Buffer.from(text).toString('base64'), 'x-amz-signature': 'ab'},
    })
    const url = 'https://swift.example.com/v1/AUTH_a/c/k?temp_url_sig=ab&temp_url_expires=32503680000'
    const texts = fc.oneof(
      anyDocument([policy]).map(text => JSON.stringify(form(text))),
      anyDocument([form(JSON.stringify(policy)), {url, method: 'PUT', headers: {'content-type': 'a/b'}}]),
    )
    await fuzzAsync(texts, async text => {
      const given = await readUrlFlags({'url-file': holding(text)})
      if (given?.kind !== 'url') return
      const signed = await readSignedUrl(given, {})
      describeUrl(signed)
      for (const [name, value] of Object.entries(signed.headers)) {
        validateHeaderName(name)
        validateHeaderValue(name, value)
      }
    })
  })

  it(`tried ${RUNS} inputs of each`, () => {
    expect(RUNS).to.be.at.least(1)
  })
})

/** One parameter of a URL has another value. */
function withOddParameter(samples: readonly string[]): fc.Arbitrary<string> {
  const odd = fc.oneof(anyText([], 20), fc.bigInt().map(String), fc.double().map(String), fc.constant('9'.repeat(400)))
  return fc.tuple(fc.constantFrom(...samples), fc.nat(), odd).map(([sample, which, value]) => {
    const url = new URL(sample)
    const names = [...url.searchParams.keys()]
    url.searchParams.set(names[which % names.length] ?? '', value)
    return url.href
  })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
