import {chmod, lstat, mkdir, readdir, readFile, stat, symlink, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, ListMultipartUploadsCommand, ListPartsCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {parseTicket} from '../../src/stores/ticket/ticket.ts'
import type {S3Ticket} from '../../src/stores/ticket/ticket.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const Bucket = 'tickets'

describe('skylift ticket', () => {
  let client: S3Client
  let owner: Home
  /** A machine with no credentials and no settings. */
  let stranger: Home
  let folder: string
  let file: string
  let secret: string
  let tickets = 0

  before(async () => {
    const sandbox = await openSandbox()
    secret = sandbox.secretAccessKey
    client = openClient(sandbox)
    owner = await makeHome(accessEnv(sandbox))
    stranger = await makeHome()
    folder = await makeTempFolder()
    file = join(folder, 'disk.img')
    await makeRandomFile(file, 12 * MIB)
    await client.send(new CreateBucketCommand({Bucket}))
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(argv, owner)
  const upload = (...argv: string[]): Promise<Ending> => callSkylift(['upload', ...argv], stranger)
  const readTicket = async (path: string): Promise<S3Ticket> => parseTicket(await readFile(path, 'utf8')) as S3Ticket

  async function create(key: string, ...flags: string[]): Promise<string> {
    const path = join(folder, `ticket-${++tickets}.json`)
    const {status, stderr} = await call('ticket', 'create', `s3://${Bucket}/${key}`, '-o', path, ...flags)
    expect(status, stderr).to.equal(0)
    return path
  }

  /** Rewrites a ticket as nobody should. */
  async function change(path: string, changes: Record<string, unknown>): Promise<string> {
    const changed = join(folder, `changed-${++tickets}.json`)
    await writeFile(changed, JSON.stringify({...(await readTicket(path)), ...changes}))
    return changed
  }

  async function countParts(path: string): Promise<number> {
    const {uploadId, target} = await readTicket(path)
    const {Parts = []} = await client.send(new ListPartsCommand({Bucket, Key: target.key, UploadId: uploadId}))
    return Parts.length
  }

  function expectFailure({status, stdout, stderr}: Ending, wanted: number, words: RegExp): void {
    expect(status, stderr).to.equal(wanted)
    expect(stderr).to.match(words)
    expect(stdout).to.equal('')
    expect(stderr).not.to.match(/\n\s+at /u)
  }

  describe('create', () => {
    it('is no page', async () => {
      const page = join(folder, 'page.html')
      expect((await call('page', 'create', `s3://${Bucket}/`, '-o', page)).status).to.equal(0)
      const {status, stderr} = await upload(file, `ticket:${page}`)
      expect(stderr).to.match(/is an upload page.*\n {2}Open it in a browser/u)
      expect(status).to.equal(2)
      expect((await call('ticket', 'revoke', page)).status).to.equal(0)
    })

    it('is for one object: several files get their own advice', async () => {
      const {status, stderr} = await upload(file, folder, '-r', `ticket:${await create('one.img')}`)
      expect(stderr).to.match(/cannot all become "s3:\/\/tickets\/one\.img"\.\n {2}A ticket is for one object\./u)
      expect(status).to.equal(2)
    })

    it('writes a file that only its owner can read, and says what the ticket is good for', async () => {
      const path = join(folder, 'words.json')
      const {status, stdout, stderr} = await call('ticket', 'create', `s3://${Bucket}/a/disk.img`, '-o', path)
      expect(status, stderr).to.equal(0)
      expect(stdout).to.equal(`${path}\n`)
      expect((await stat(path)).mode & 0o777).to.equal(0o600)
      expect(stderr).to.match(
        /^Upload to s3:\/\/tickets\/a\/disk\.img at http:\/\/127\.0\.0\.1:\d+, until .+ \(in 12 h\)\.\n/u,
      )
      expect(stderr).to.contain('For a file of at most 50 GiB, in up to 985 parts; an upload that is cut goes on.')
      expect(stderr).to.contain('The store does not enforce the size')
      const text = await readFile(path, 'utf8')
      expect(text).not.to.contain(secret)
      const ticket = parseTicket(text)
      expect(ticket.target).to.deep.equal({remote: 's3', container: Bucket, key: 'a/disk.img'})
      expect(ticket.contentType).to.equal('application/octet-stream')
      const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket, Prefix: 'a/'}))
      expect(Uploads.map(({UploadId}) => UploadId)).to.deep.equal([ticket.uploadId])
    })

    it('goes to stdout without -o, and into the JSON document', async () => {
      const {stdout} = await call('ticket', 'create', `s3://${Bucket}/out`, '--size', '1G', '-p', '64M')
      const ticket = parseTicket(stdout)
      expect(ticket.size).to.deep.equal({max: 1024 * MIB})
      expect((ticket as S3Ticket).parts.count).to.equal(16)
      const {ticket: inside, ...json} = readJson<{ticket: unknown; size: number}>(
        await call('ticket', 'create', `s3://${Bucket}/out`, '--json'),
      )
      expect(parseTicket(JSON.stringify(inside)).uploadId).to.be.a('string')
      expect(JSON.stringify(json)).not.to.match(/http[^"]*\?|[\da-f]{64}.*[\da-f]{64}/u)
    })

    it('never replaces a file, and begins nothing that it could not write down', async () => {
      const taken = join(folder, 'taken.json')
      await writeFile(taken, 'mine')
      const before = (await client.send(new ListMultipartUploadsCommand({Bucket}))).Uploads?.length
      const create = (path: string): Promise<Ending> => call('ticket', 'create', `s3://${Bucket}/x`, '-o', path)
      expectFailure(await create(taken), 6, /already a file ".*taken\.json"/u)
      expect(await readFile(taken, 'utf8')).to.equal('mine')
      await symlink('/nowhere', join(folder, 'link.json'))
      expectFailure(await create(join(folder, 'link.json')), 6, /already a file/u)
      expectFailure(await create('/dev/null'), 2, /"\/dev\/null" is not a file/u)
      expect((await lstat('/dev/null')).isCharacterDevice()).to.equal(true)
      expectFailure(await create(join(folder, 'no/such/folder.json')), 2, /cannot be written/u)
      expect((await client.send(new ListMultipartUploadsCommand({Bucket}))).Uploads?.length).to.equal(before)
    })

    it('begins nothing where a part of it cannot be had', async () => {
      const before = (await client.send(new ListMultipartUploadsCommand({Bucket}))).Uploads?.length
      for (const flags of [
        ['-f', '..'],
        ['--expires', '8d'],
        ['--size', '60T'],
      ]) {
        expect((await call('ticket', 'create', `s3://${Bucket}/x`, ...flags)).status, flags.join(' ')).to.equal(2)
      }
      expect((await client.send(new ListMultipartUploadsCommand({Bucket}))).Uploads?.length).to.equal(before)
    })

    it('leaves no file behind where it fails', async () => {
      const empty = join(folder, 'empty')
      await mkdir(empty)
      const {status} = await call('ticket', 'create', 's3://no-such-bucket/x', '-o', join(empty, 'x.json'))
      expect(status).to.equal(5)
      expect(await readdir(empty)).to.deep.equal([])
    })

    const wrong: [words: string[], status: number, message: RegExp][] = [
      [['s3://tickets'], 2, /an object is wanted/u],
      [['s3://tickets/folder/'], 2, /cannot end in a slash/u],
      [['s3://tickets/x', '--size', '0'], 2, /ticket for nothing/u],
      [['s3://tickets/x', '--size', '1G', '--file-size', '1G'], 2, /--file-size|--size/u],
      [['s3://tickets/x', '--size', '60T'], 2, /more than the store's limit/u],
      [['s3://tickets/x', '-p', '1M'], 2, /part of 1 MiB is not possible/u],
      [['s3://tickets/x', '--expires', '8d'], 2, /7 d at most/u],
      [['s3://tickets/x', '--assemble', 'owner'], 2, /assembles the parts itself/u],
      [['s3://tickets/x', '--content-type', 'ü/x'], 2, /ASCII/u],
    ]
    for (const [words, status, message] of wrong) {
      it(`refuses ${words.join(' ')}`, async () => {
        expectFailure(await call('ticket', 'create', ...words), status, message)
      })
    }

    it('refuses a lifetime that the credentials cannot keep', async () => {
      const soon = new Date(Date.now() + 3_600_000).toISOString()
      const printer = join(folder, 'credentials.sh')
      const keys = {Version: 1, AccessKeyId: 'A', SecretAccessKey: 'S', SessionToken: 'T', Expiration: soon}
      await writeFile(printer, `#!/bin/sh\necho '${JSON.stringify(keys)}'\n`)
      await chmod(printer, 0o755)
      const {AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...env} = owner.env
      const config = join(folder, 'aws.config')
      await writeFile(config, `[default]\ncredential_process = ${printer}\n`)
      const home = {...owner, env: {...env, AWS_CONFIG_FILE: config}}
      const ending = await callSkylift(['ticket', 'create', `s3://${Bucket}/x`], home)
      expectFailure(ending, 2, /These credentials end in 59 min.*: 12 h cannot be had/u)
    })
  })

  describe('show', () => {
    it('explains a ticket without a signature, and asks nobody', async () => {
      const path = await create('show.img', '-f', 'wie schön.img')
      const text = await readFile(path, 'utf8')
      const {status, stdout, stderr} = await callSkylift(['ticket', 'show', path], stranger)
      expect([status, stderr]).to.deep.equal([0, ''])
      expect(stdout).to.contain('Upload to s3://tickets/show.img at ')
      expect(stdout).to.contain('downloads the object as "wie schön.img"')
      for (const [signature = ''] of text.matchAll(/[\da-f]{64}/gu)) {
        if (signature !== (await readTicket(path)).uploadId) expect(stdout).not.to.contain(signature)
      }
      const json = readJson<{target: string; isExpired: boolean}>(
        await callSkylift(['ticket', 'show', path, '--json'], stranger),
      )
      expect(json).to.include({target: 's3://tickets/show.img', isExpired: false})
      const link = await callSkylift(['ticket', 'show', path, '--link'], stranger)
      expect(link.stdout).to.match(/^http:\S+response-content-disposition=\S+\n$/u)
    })

    it('says when it has ended', async () => {
      const path = await change(await create('over.img'), {expires: new Date(Date.now() - 7_200_000).toISOString()})
      expect((await call('ticket', 'show', path)).stdout).to.match(/ended 2 h ago\./u)
    })

    it('refuses what is no ticket', async () => {
      expectFailure(await call('ticket', 'show', file), 2, /not a ticket/u)
      expectFailure(await call('ticket', 'show', join(folder, 'none.json')), 2, /cannot be read: there is none/u)
      expectFailure(await call('ticket', 'show', folder), 2, /cannot be read: it is not a file/u)
    })
  })

  describe('upload FILE ticket:FILE', () => {
    it('uploads in parts without credentials, checked, and says first where the file goes', async () => {
      const path = await create('up.img', '--size', '100M')
      const {status, stdout, stderr} = await upload(file, `ticket:${path}`, '-p', '5M')
      expect(status, stderr).to.equal(0)
      expect(stderr).to.match(/^Upload to s3:\/\/tickets\/up\.img at .+\nFor a file of at most 100 MiB/u)
      expect(stdout).to.match(/^s3:\/\/tickets\/up\.img {2}12 MiB .*md5 of every part {2}etag [\da-f]{32}-3\n$/u)
      expect((await call('verify', file, `s3://${Bucket}/up.img`)).status).to.equal(0)
    })

    it('sends an empty file, and one of a byte', async () => {
      for (const size of [0, 1]) {
        const small = join(folder, `small-${size}`)
        await makeRandomFile(small, size)
        const path = await create(`small-${size}`, '--file-size', String(size))
        const {status, stderr} = await upload(small, `ticket:${path}`)
        expect(status, stderr).to.equal(0)
        expect((await call('verify', small, `s3://${Bucket}/small-${size}`, '--download')).status).to.equal(0)
      }
    })

    it('reads the ticket from stdin, from SKYLIFT_TICKET, and from the file that it names', async () => {
      const [piped, inside, named] = [await create('piped'), await create('inside'), await create('named')]
      const stdin = await readFile(piped)
      const ending = await runSkylift(['upload', file, 'ticket:-'], {env: stranger.env, stdin})
      expect(ending.status, ending.stderr).to.equal(0)
      for (const [value, words] of [
        [await readFile(inside, 'utf8'), [file]],
        [named, [file, 'ticket:']],
      ] as const) {
        const home = {env: {...stranger.env, SKYLIFT_TICKET: value}}
        const {status, stderr} = await callSkylift(['upload', ...words], home)
        expect(status, stderr).to.equal(0)
      }
      for (const key of ['piped', 'inside', 'named']) {
        expect((await call('verify', file, `s3://${Bucket}/${key}`)).status, key).to.equal(0)
      }
    })

    it('refuses before the first byte what is too large, of another size, or too late', async () => {
      const small = await create('refused', '--size', '6M')
      expectFailure(await upload(file, `ticket:${small}`, '-q'), 2, /12 MiB is more than the/u)
      const exact = await create('refused', '--file-size', '6M')
      expectFailure(await upload(file, `ticket:${exact}`, '-q'), 2, /exactly 6291456 bytes|more than the/u)
      const large = join(folder, 'large.img')
      await writeFile(large, '')
      await truncate(large, 2048 * MIB)
      const fresh = await create('refused')
      const late = await change(fresh, {expires: new Date(Date.now() + 60_000).toISOString()})
      expectFailure(
        await upload(large, `ticket:${late}`, '-q'),
        4,
        /ends in (?:5\d s|1 min), and at 10 MiB\/s this file takes 3 min 25 s/u,
      )
      const over = await change(fresh, {expires: new Date(Date.now() - 1000).toISOString()})
      expectFailure(await upload(file, `ticket:${over}`, '-q'), 4, /The ticket ended .* ago by this machine's clock/u)
      for (const path of [small, exact, fresh]) expect(await countParts(path)).to.equal(0)
    })

    const unwanted: [string[], RegExp][] = [
      [['--content-type', 'a/b'], /--content-type cannot be set with a ticket/u],
      [['-m', 'a=b'], /--metadata cannot be set with a ticket/u],
      [['--no-clobber'], /--no-clobber cannot be set with a ticket/u],
      [['--tag', 'a=b'], /--tag cannot be set with a ticket/u],
      [['--link'], /can make no --link/u],
      [['--engine', 'sdk'], /AWS SDK cannot send with a ticket/u],
    ]
    for (const [flags, message] of unwanted) {
      it(`refuses ${flags[0]}, which a ticket cannot carry`, async () => {
        const path = await create('unwanted')
        expectFailure(await upload(file, `ticket:${path}`, ...flags), 2, message)
      })
    }

    it('refuses another part size where the lengths are signed', async () => {
      const path = await create('sized', '--file-size', '12M', '-p', '6M')
      expectFailure(await upload(file, `ticket:${path}`, '-p', '5M'), 2, /parts of 6 MiB, not of 5 MiB/u)
    })

    it('says that it needs a ticket', async () => {
      expectFailure(await upload(file, 'ticket:'), 2, /needs a file name/u)
      expectFailure(await upload(file, 'ticket:nowhere.json'), 2, /cannot be read: there is none/u)
    })

    it('says that a ticket was used up, and what to do', async () => {
      const path = await create('twice')
      expect((await upload(file, `ticket:${path}`)).status).to.equal(0)
      const again = await upload(file, `ticket:${path}`, '-q')
      expectFailure(again, 5, /The upload of this ticket is gone: it was finished or revoked\./u)
      expect((await call('verify', file, `s3://${Bucket}/twice`)).status).to.equal(0)
    })

    it('tells the plan', async () => {
      const path = await create('plan')
      const {stdout} = await upload(file, `ticket:${path}`, '--dry-run', '-p', '5M')
      expect(stdout).to.match(/-> s3:\/\/tickets\/plan {2}12 MiB, 3 parts of 5 MiB\n$/u)
      expect(await countParts(path)).to.equal(0)
    })

    it('goes on with the parts that somebody else has sent, with --resume store', async () => {
      const path = await create('elsewhere')
      const {parts} = await readTicket(path)
      const url = parts.url.replace('{number}', '1').replace('{signature}', parts.signatures[0] ?? '')
      const first = (await readFile(file)).subarray(0, 5 * MIB)
      expect((await fetch(url, {method: 'PUT', body: first})).status).to.equal(200)
      const ending = await upload(file, `ticket:${path}`, '--resume', 'store', '--progress', 'json')
      expect(ending.status, ending.stderr).to.equal(0)
      const events = ending.stderr
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as {event: string; kept?: number})
      expect(events.find(({event}) => event === 'start')?.kept).to.equal(5 * MIB)
    })
  })

  describe('renew', () => {
    it('signs the same upload anew, in place', async () => {
      const path = await create('renewed', '--expires', '1h', '-f', 'name.img')
      const old = await readTicket(path)
      const {status, stdout, stderr} = await call('ticket', 'renew', path, '--expires', '2h')
      expect(status, stderr).to.equal(0)
      expect(stdout).to.equal(`${path}\n`)
      const ticket = await readTicket(path)
      expect((await stat(path)).mode & 0o777).to.equal(0o600)
      expect(ticket.uploadId).to.equal(old.uploadId)
      expect(Date.parse(ticket.expires) - Date.parse(old.expires)).to.be.within(3_500_000, 3_700_000)
      expect(ticket.parts.signatures).to.have.length(old.parts.signatures.length)
      expect(ticket.parts.signatures[0]).not.to.equal(old.parts.signatures[0])
      expect(ticket.link?.filename).to.equal('name.img')
      expect((await upload(file, `ticket:${path}`)).status).to.equal(0)
    })

    it('fails for an upload that is gone, and leaves the file', async () => {
      const path = await create('gone')
      expect((await upload(file, `ticket:${path}`)).status).to.equal(0)
      const before = await readFile(path, 'utf8')
      expectFailure(await call('ticket', 'renew', path), 5, /was finished or revoked/u)
      expect(await readFile(path, 'utf8')).to.equal(before)
      expect((await readdir(folder)).filter(name => name.endsWith('.new'))).to.deep.equal([])
    })
  })

  describe('revoke', () => {
    it('ends the upload, once and again; the holder is told', async () => {
      const path = await create('revoked')
      const first = await call('ticket', 'revoke', path)
      expect([first.status, first.stdout]).to.deep.equal([0, 'The ticket for s3://tickets/revoked is revoked.\n'])
      const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket, Prefix: 'revoked'}))
      expect(Uploads).to.deep.equal([])
      const second = await call('ticket', 'revoke', path)
      expect([second.status, second.stderr]).to.deep.equal([0, 'Its upload was finished or revoked before.\n'])
      expectFailure(await upload(file, `ticket:${path}`, '-q'), 5, /it was finished or revoked/u)
    })
  })

  describe('finish', () => {
    it('is not needed on S3', async () => {
      expectFailure(await call('ticket', 'finish', await create('finish')), 2, /needs no finishing/u)
    })
  })
})
