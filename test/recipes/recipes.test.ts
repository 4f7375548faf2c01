import {spawn, spawnSync} from 'node:child_process'
import type {ChildProcess} from 'node:child_process'
import {readdir, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {GetObjectCommand, HeadObjectCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {BUCKET, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {findFreePorts} from '../servers/ports.ts'
import {BIN, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Env, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const MIB = 1024 * 1024
const RECIPES = fileURLToPath(new URL('../../docs/recipes/', import.meta.url))
const PYTHON = '/usr/bin/python3'

interface Recipe {
  readonly name: string
  need(context: Mocha.Context): void
  command(port: number): readonly string[]
}

const FLASK: Recipe = {
  name: 'flask',
  need(context) {
    const isThere = spawnSync(PYTHON, ['-c', 'import flask']).status === 0
    skipUnless(context, isThere, 'Flask is not installed (Debian: apt-get install python3-flask)')
  },
  command: port => [PYTHON, '-m', 'flask', '--app', join(RECIPES, 'flask/app.py'), 'run', '--port', String(port)],
}

const NODE: Recipe = {
  name: 'node',
  need() {},
  command: () => [process.execPath, join(RECIPES, 'node/app.mjs')],
}

interface Begun {
  readonly key: string
  readonly expires: string
  readonly url: string
  readonly method: string
  readonly headers: Record<string, string>
  readonly ticket?: object
}

for (const recipe of [FLASK, NODE]) {
  describe(`the recipe for ${recipe.name}`, () => {
    let arena: Arena
    /** Of the server, with credentials. */
    let server: Home
    /** Of a visitor, without. */
    let visitor: Home
    let app: {readonly origin: string; readonly child: ChildProcess; told(): string}
    const children: ChildProcess[] = []

    before(async function () {
      recipe.need(this)
      arena = await openArena()
      server = await arena.makeHome({SKYLIFT: BIN, UPLOADS: `s3://${BUCKET}/in`})
      visitor = await makeHome()
      app = await start(server.env)
    })
    after(async () => {
      for (const child of children) child.kill()
      await arena?.close()
    })

    async function start(env: Env): Promise<typeof app> {
      const port = await findFreePorts(1)
      const [program = '', ...args] = recipe.command(port)
      const child = spawn(program, args, {
        cwd: server.folder,
        // Python must not write beside the recipe.
        env: {...env, PORT: String(port), PYTHONDONTWRITEBYTECODE: '1'},
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      children.push(child)
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', piece => (said += String(piece)))
      const origin = `http://127.0.0.1:${port}`
      for (;;) {
        if ((await fetch(origin).catch(() => undefined))?.ok) return {origin, child, told: () => said}
        if (child.exitCode !== null) throw new Error(`The recipe ended: ${said}`)
        await sleep(50)
      }
    }

    const ask = (wish: unknown, origin = app.origin): Promise<Response> =>
      fetch(`${origin}/uploads`, {
        method: 'POST',
        headers: {'content-type': 'application/json'},
        body: typeof wish === 'string' ? wish : JSON.stringify(wish),
      })
    const begin = async (wish: object): Promise<Begun> => {
      const response = await ask(wish)
      expect(response.status, app.told()).to.equal(200)
      return (await response.json()) as Begun
    }

    it('gives a URL that takes just this file, straight into the store', async () => {
      const begun = await begin({name: 'My scan.pdf', size: 5, type: 'application/pdf'})
      const {url, method, headers, key} = begun
      expect(method).to.equal('PUT')
      expect(new URL(url).origin).to.equal(arena.proxy.endpoint)
      expect(key).to.match(/^in\/[\da-f-]{36}\/My_scan\.pdf$/u)
      // As a browser would: it sets the length itself.
      const sent = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-length'))
      expect(
        (await fetch(url, {method, headers: {...sent, 'content-type': 'text/html'}, body: 'hello'})).status,
      ).to.equal(403)
      expect((await fetch(url, {method, headers: sent, body: 'hello!'})).status).to.equal(403)
      expect((await fetch(url, {method, headers: sent, body: 'hello'})).status).to.equal(200)
      const {ContentType, Body} = await arena.client.send(new GetObjectCommand({Bucket: BUCKET, Key: key}))
      expect([ContentType, await Body?.transformToString()]).to.deep.equal(['application/pdf', 'hello'])
    })

    it('gives what skylift upload takes as it is', async () => {
      const begun = await begin({name: 'a', size: 5, type: 'text/plain'})
      const [answer, file] = [join(visitor.folder, 'answer.json'), join(visitor.folder, 'five')]
      await writeFile(answer, JSON.stringify(begun))
      await writeFile(file, 'hello')
      const {status, stderr} = await runSkylift(['upload', file, '--url-file', answer], visitor)
      expect(status, stderr).to.equal(0)
      expect(await arena.hashStored(begun.key)).to.be.a('string')
    })

    it('gives a ticket for a large file, which somebody without credentials uploads in parts', async () => {
      const size = 101 * MIB
      const {ticket, key} = await begin({name: 'disk.img', size, type: 'application/octet-stream'})
      const [paper, file] = [join(visitor.folder, 'disk.json'), join(visitor.folder, 'disk.img')]
      await writeFile(paper, JSON.stringify(ticket))
      await writeFile(file, 'not only zeros')
      await truncate(file, size)
      const {status, stderr} = await runSkylift(['upload', file, `ticket:${paper}`, '-q'], visitor)
      expect(status, stderr).to.equal(0)
      const head = await arena.client.send(new HeadObjectCommand({Bucket: BUCKET, Key: key}))
      expect(head.ContentLength).to.equal(size)
      expect(head.ETag).to.match(/-\d+"$/u)
    })

    it('reads no word of a visitor as a command, a flag or a path', async () => {
      const before = await readdir(server.folder)
      for (const name of [
        '$(touch hacked)',
        '; touch hacked',
        '--json',
        '../../x',
        '..',
        '',
        'ü',
        'a\nb',
        'x'.repeat(5000),
      ]) {
        const {key} = await begin({name, size: 1, type: 'text/plain'})
        expect(key, name).to.match(/^in\/[\da-f-]{36}\/[\w-][\w.-]{0,99}$/u)
      }
      expect(await readdir(server.folder)).to.deep.equal(before)
    })

    for (const wish of [
      'no JSON',
      [],
      {},
      {name: 'a', size: -1, type: 'a/b'},
      {name: 'a', size: 1.5, type: 'a/b'},
      {name: 'a', size: '1', type: 'a/b'},
      {name: 'a', size: true, type: 'a/b'},
      {name: 'a', size: 2 ** 50, type: 'a/b'},
      {name: 7, size: 1, type: 'a/b'},
      {name: 'a', size: 1, type: 'a/b\r\nx-amz-acl: public-read'},
      {name: 'a', size: 1, type: 'a/b\n'},
      {name: 'a', size: 1, type: '--acl'},
    ]) {
      it(`refuses ${JSON.stringify(wish)}`, async () => {
        expect((await ask(wish)).status).to.equal(400)
      })
    }

    it('tells the visitor nothing when it cannot sign, and its owner why', async () => {
      const {AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...without} = server.env
      const other = await start(without)
      const response = await ask({name: 'a', size: 1, type: 'a/b'}, other.origin)
      expect(response.status).to.equal(502)
      expect(await response.text()).not.to.match(/credential|AWS|skylift/iu)
      expect(other.told()).to.match(/credentials/iu)
    })

    it('tells no secret in its log', async () => {
      expect(app.told()).not.to.contain(arena.keys.secretAccessKey)
      expect(app.told()).not.to.match(/Signature=/u)
    })
  })
}
