import {execFileSync} from 'node:child_process'
import {mkdir, truncate, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import {callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'

const MIB = 1024 * 1024

/** A command line that is refused, what it says, and (in the middle) where the words of the suggestion matter. */
type Row = readonly [what: string, argv: readonly string[], words: RegExp, status?: number, code?: string]

interface FailureJson {
  readonly ok: boolean
  readonly failures: readonly {readonly code: string; readonly message: string; readonly suggestion: string}[]
}

describe('skylift upload, asked wrongly', () => {
  let home: Home
  let server: Server
  let requests = 0

  before(async () => {
    server = createServer((_, response) => {
      requests++
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const {port} = server.address() as AddressInfo
    home = await makeHome({
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      AWS_REGION: 'us-east-1',
    })
    process.chdir(home.folder)
    await mkdir('folder')
    await mkdir('twin')
    await writeFile('f', 'file')
    await writeFile('g', 'file')
    await writeFile('twin/f', 'file')
    await writeFile('huge', '')
    // Sparse: it takes no room.
    await truncate('huge', 6000 * MIB)
    execFileSync('mkfifo', ['fifo'])
  })
  const cwd = process.cwd()
  after(() => {
    process.chdir(cwd)
    server.close()
  })

  const rows: readonly Row[] = [
    ['nothing', [], /What should be uploaded, and where to\?\n.*skylift upload FILE\.\.\. TARGET/u],
    ['a target alone', ['s3://c/k'], /Which file should go to "s3:\/\/c\/k"\?/u],
    ['a file alone', ['f'], /The last word must be a target, and "f" is none\.\n.*REMOTE:\/\/container\/key/u],
    ['the wrong order', ['s3://c/k', 'f'], /The last word must be a target.*\n.*Put "s3:\/\/c\/k" at the end/u],
    ['two targets', ['f', 's3://c/a', 's3://c/b'], /"s3:\/\/c\/a" is a target, and only the last word may be one\./u],
    ['several files and one key', ['f', 'g', 's3://c/k'], /Several files cannot all become .*\n.*s3:\/\/c\/k\//u],
    ['two files of one name', ['f', 'twin/f', 's3://c/'], /"f" and "twin\/f" would both become "f"\./u],
    ['an unknown remote', ['f', 'nowhere://c/k'], /There is no remote "nowhere"\./u, 2, 'config'],
    ['an unknown scheme', ['f', 'FTP://c/k'], /"FTP:\/\/c\/k" is not a target\./u],
    ['no container', ['f', 's3://'], /"s3:\/\/" names no container\./u],
    ['an empty container', ['f', 's3:///k'], /names no container\./u],
    ['an unknown flag', ['f', 's3://c/k', '--frobnicate'], /Nonexistent flag: --frobnicate\./u],
    ['an unknown short flag', ['f', 's3://c/k', '-Z'], /-Z/u],
    ['a flag without its value', ['f', 's3://c/k', '-p'], /part-size/u],
    ['a size that is none', ['f', 's3://c/k', '-p', '10X'], /--part-size: "10X" is not a size\.\n.*64M/u],
    ['a size below zero', ['f', 's3://c/k', '-p=-5M'], /is not a size\./u],
    ['no connections', ['f', 's3://c/k', '-c', '0'], /concurrency.*\b0\b/su],
    ['a count in words', ['f', 's3://c/k', '-c', 'many'], /many/u],
    [
      'results on stdout',
      ['f', 's3://c/k', '--results', '-'],
      /^--results: "-" would be stdout, which has results of its own\.\n.*\/dev\/fd\/3.*\.\/-$/mu,
    ],
    ['a time that is none', ['f', 's3://c/k', '--retry-for', 'soon'], /--retry-for: "soon"/u],
    ['metadata without a value', ['f', 's3://c/k', '-m', 'alone'], /"alone" is not of the form name=value\./u],
    ['metadata without a name', ['f', 's3://c/k', '-m', '=v'], /"=v" is not of the form name=value\./u],
    ['metadata that is given twice', ['f', 's3://c/k', '-m', 'a=1', '-m', 'A=2'], /--metadata gives "a" two values\./u],
    [
      'the same of a folder',
      ['folder', '-r', 's3://c/k/', '-m', 'a=1', '-m', 'a=2'],
      /^--metadata gives "a" two values\.\n[^\n]*\n$/u,
    ],
    ['a tag that is given twice', ['f', 's3://c/k', '--tag', 'a=1', '--tag', 'a=2'], /--tag gives "a" two values\./u],
    ['metadata with a space in its name', ['f', 's3://c/k', '-m', 'a b=c'], /"a b" cannot be the name of metadata/u],
    ['an unknown display', ['f', 's3://c/k', '--progress', 'fancy'], /fancy/u],
    ['an unknown engine', ['f', 's3://c/k', '--engine', 'steam'], /steam/u],
    ['an unknown encryption', ['f', 's3://c/k', '--sse', 'rot13'], /rot13/u],
    [
      'a line break in a header',
      ['f', 's3://c/k', '--content-type', 'a\r\nX-Own: b'],
      /cannot hold control characters/u,
    ],
    ['a line break in metadata', ['f', 's3://c/k', '-m', 'a=b\nc'], /cannot hold control characters/u],
    ['a NUL in a tag', ['f', 's3://c/k', '--tag', 'a=\u0000'], /cannot hold control characters/u],
    ['no such file', ['nowhere', 's3://c/k'], /There is no file "nowhere"\./u, 5, 'not-found'],
    ['one file of two that is not there', ['f', 'nowhere', 's3://c/'], /There is no file "nowhere"\./u, 5, 'not-found'],
    ['a folder', ['folder', 's3://c/k'], /"folder" is a folder\.\n.*-r/u],
    ['a FIFO', ['fifo', 's3://c/k'], /"fifo" is not a regular file\./u],
    [
      'a key of 1,025 bytes',
      ['f', `s3://c/${'k'.repeat(1025)}`],
      /The key "k{40}…k{40}" of 1025 bytes is too long: 1,024/u,
    ],
    ['a key of 1,025 bytes with the name', ['f', `s3://c/${'k'.repeat(1023)}/`], /of 1025 bytes is too long/u],
    ['a key of 1,025 characters', ['f', `swift://c/${'ü'.repeat(1025)}`], /of 1025 characters is too long/u],
    ['a key of 513 two-byte letters', ['f', `s3://c/${'ü'.repeat(513)}`], /of 1026 bytes is too long/u],
    ['parts below 5 MiB', ['huge', 's3://c/k', '-p', '1M'], /A part of 1 MiB is not possible: .* 5 MiB/u],
    ['more parts than there may be', ['huge', 's3://c/k', '-p', '5M'], /makes 1,200 parts: .* takes 1,000\.\n.*6M/u],
    ['no profile of that name', ['f', 's3://c/k', '--profile', 'nobody'], /profile "nobody"/u, 4, 'auth'],
    [
      'an endpoint without a scheme',
      ['f', 's3://c/k', '--endpoint-url', 'localhost:9000'],
      /localhost:9000/u,
      2,
      'config',
    ],
    [
      'an endpoint with a password in it',
      ['f', 's3://c/k', '--endpoint-url', 'http://jane:hunter2@localhost:9000'],
      /^The endpoint at localhost:9000 has a user or a password in it\./u,
      2,
      'config',
    ],
    [
      'a CA bundle that is not there',
      ['f', 's3://c/k', '--ca-bundle', 'nowhere'],
      /"nowhere" cannot be read/u,
      2,
      'config',
    ],
    ['a CA bundle that is none', ['f', 's3://c/k', '--ca-bundle', 'f'], /"f" holds no PEM certificate/u, 2, 'config'],
  ]

  for (const [what, argv, words, status = 2, code = 'usage'] of rows) {
    it(`refuses ${what}, as words and as JSON, and sends nothing`, async () => {
      requests = 0
      const plain = await callSkylift(['upload', ...argv, '-q'], home)
      expect(plain.status).to.equal(status)
      expect(plain.stdout).to.equal('')
      expect(plain.stderr).to.match(words)
      const [sentence = '', suggestion = '', ...more] = plain.stderr.trimEnd().split('\n')
      expect(sentence).to.match(/^\S.*[.?!]$/u)
      expect(sentence).not.to.match(/^Error|^ *at /u)
      expect(suggestion).to.match(/^ {2}\S/u)
      expect(more).to.deep.equal([])

      const json = await callSkylift(['upload', ...argv, '-q', '--json'], home)
      expect(json.status).to.equal(status)
      expect(json.stderr).to.equal('')
      const {ok, failures} = readJson<FailureJson>(json)
      expect(ok).to.equal(false)
      expect(failures.map(each => each.code)).to.deep.equal([code])
      expect(failures[0]?.message).to.equal(sentence)
      expect(failures[0]?.suggestion).to.equal(suggestion.trim())
      expect(requests).to.equal(0)
    })
  }

  it('tells a stack with --debug only', async () => {
    const {stderr} = await callSkylift(['upload', 'nowhere', 's3://c/k', '--debug'], home)
    expect(stderr).to.match(/^There is no file "nowhere"\.\n/u)
    expect(stderr).to.match(/\n {2}at /u)
  })

  it('takes a key of 1,024 bytes and a part size in the plan, and a plan of exactly 1,000 parts', async () => {
    const {status} = await callSkylift(['upload', 'f', `s3://c/${'k'.repeat(1024)}`, '-n'], home)
    expect(status).to.equal(0)
    const plan = await callSkylift(['upload', 'huge', 's3://c/k', '-n', '-p', '6M'], home)
    expect(plan.stdout).to.contain('5.9 GiB, 1,000 parts of 6 MiB')
  })

  it('says that a command is unknown, as words and as JSON', async () => {
    const plain = await runSkylift(['frobnicate'], home)
    expect(plain).to.include({status: 2, stdout: ''})
    expect(plain.stderr).to.match(/There is no command "frobnicate"\.\n {2}\S/u)
    const json = await runSkylift(['frobnicate', '--json'], home)
    expect(json.status).to.equal(2)
    expect(readJson<FailureJson>(json).failures[0]?.code).to.equal('usage')
  })

  it('prints control characters of names and words as escapes', async () => {
    const odd = 'x\u001B[2J\u009B\u202E\ny'
    for (const argv of [[odd, 's3://c/k'], ['f', `${odd}://c/k`], ['f', 's3://c/k', '-p', odd], [`--${odd}`]]) {
      for (const flags of [[], ['--json']]) {
        const {status, stdout, stderr} = await callSkylift(['upload', ...argv, ...flags], home)
        expect(status).to.be.oneOf([2, 5])
        // oxlint-disable-next-line no-control-regex
        expect(stdout + stderr).not.to.match(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/u)
      }
    }
  })
})
