import {execFileSync} from 'node:child_process'
import {mkdir, rm, symlink, writeFile} from 'node:fs/promises'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {expect} from 'chai'
import {walkFolder} from '../../src/upload/walk.ts'
import type {Found, WalkOptions} from '../../src/upload/walk.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

/** Makes files with their folders; a value that begins with `->` is a link. */
async function grow(tree: Readonly<Record<string, string>>): Promise<string> {
  const root = await makeTempFolder()
  for (const [name, content] of Object.entries(tree)) {
    const path = join(root, name)
    await mkdir(join(path, '..'), {recursive: true})
    await (content.startsWith('->') ? symlink(content.slice(2), path) : writeFile(path, content))
  }
  return root
}

interface Walked {
  readonly names: string[]
  readonly failures: string[]
  readonly told: string[]
}

async function walk(
  root: string,
  options: Partial<WalkOptions> = {},
  onFound?: (found: Found) => unknown,
): Promise<Walked> {
  const walked: Walked = {names: [], failures: [], told: []}
  const all: WalkOptions = {
    symlinks: 'follow',
    isWanted: () => true,
    tell: message => void walked.told.push(message.replaceAll(`${root}/`, '')),
    ...options,
  }
  let last: string | undefined
  for await (const found of walkFolder(root, all)) {
    expect(last === undefined || last < found.order, `${last} before ${found.order}`).to.equal(true)
    last = found.order
    if (found.failure === undefined) walked.names.push(found.name)
    else walked.failures.push(`${found.failure.code}: ${found.failure.message.replaceAll(`${root}/`, '')}`)
    await onFound?.(found)
  }
  return walked
}

describe('walkFolder', () => {
  it('finds files in the order in which stores list keys: by bytes, a folder with its slash', async () => {
    const names = ['a-b', 'a.b', 'a/x', 'a/y/z', 'a0', 'B', '\uFF61', '\u{1F600}', 'é', '.hidden', ' ', 'a\nb']
    const root = await grow(Object.fromEntries(names.map(name => [name, ''])))
    const inBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect((await walk(root)).names).to.deep.equal(inBytes)
  })

  it('finds nothing in folders that are empty', async () => {
    const root = await makeTempFolder()
    await mkdir(join(root, 'a/b/c'), {recursive: true})
    expect(await walk(root)).to.deep.equal({names: [], failures: [], told: []})
  })

  it('goes deep, and wide', async () => {
    const deep = Array.from({length: 400}, (_, index) => `d${index % 10}`).join('/')
    const root = await grow({[`${deep}/file`]: ''})
    for (let index = 0; index < 3000; index++) await writeFile(join(root, `w${index}`), '')
    const {names} = await walk(root)
    expect(names[0]).to.equal(`${deep}/file`)
    expect(names).to.have.length(3001)
  })

  it('tells of a tree that is deeper than a path can be, and takes the rest', async () => {
    const root = await grow({z: ''})
    const step = 'd'.repeat(200)
    execFileSync('sh', ['-c', `cd "$0"; for i in $(seq 25); do mkdir ${step}; cd -P ${step} || exit 1; done`, root])
    const {names, failures} = await walk(root)
    expect(names).to.deep.equal(['z'])
    expect(failures.join()).to.match(/^source-changed: The folder .* cannot be read: ENAMETOOLONG/u)
    execFileSync('rm', ['-rf', join(root, step)])
  })

  it('follows links, skips them or fails them', async () => {
    const root = await grow({'a/file': 'x', link: '->a/file', folder: '->a', dead: '->nowhere', z: ''})
    expect(await walk(root)).to.deep.equal({
      names: ['a/file', 'folder/file', 'link', 'z'],
      failures: ['not-found: The symbolic link "dead" leads nowhere.'],
      told: [],
    })
    const skipped = await walk(root, {symlinks: 'skip'})
    expect(skipped.names).to.deep.equal(['a/file', 'z'])
    expect(skipped.told).to.deep.equal(
      ['dead', 'folder', 'link'].map(name => `"${name}" is a symbolic link: passed over.`),
    )
    const {names, failures} = await walk(root, {symlinks: 'error'})
    expect(names).to.deep.equal(['a/file', 'z'])
    expect(failures).to.have.length(3)
    for (const each of failures) expect(each).to.match(/^usage: "\w+" is a symbolic link\.$/u)
  })

  it('comes to an end whatever circle links make', async () => {
    const root = await grow({
      'a/up': '->..',
      'a/self': '->self',
      'a/here': '->.',
      'a/b/top': '->../..',
      'c/to-d': '->../d',
      'd/to-c': '->../c',
      'd/file': '',
    })
    const {names, told, failures} = await walk(root)
    expect(names).to.deep.equal(['c/to-d/file', 'd/file'])
    expect(failures).to.deep.equal(['not-found: The symbolic link "a/self" leads nowhere.'])
    expect(told.toSorted()).to.deep.equal(
      ['a/b/top', 'a/here', 'a/up', 'c/to-d/to-c', 'd/to-c/to-d'].map(
        name => `"${name}" leads back to a folder that it lies in: passed over.`,
      ),
    )
  })

  it('passes over pipes and sockets with a word, and takes no time for it', async () => {
    const root = await grow({a: '', 'to-pipe': '->pipe'})
    execFileSync('mkfifo', [join(root, 'pipe')])
    const server = createServer().listen(join(root, 'socket'))
    await new Promise(resolve => server.once('listening', resolve))
    const {names, told} = await walk(root)
    server.close()
    expect(names).to.deep.equal(['a'])
    expect(told).to.deep.equal([
      '"pipe" is a named pipe: passed over.',
      '"socket" is a socket: passed over.',
      '"to-pipe" is a named pipe: passed over.',
    ])
  })

  it('refuses names that are no UTF-8 one by one, a folder with all that is in it', async function () {
    skipUnless(this, process.platform === 'linux', 'Other systems have no such names')
    const root = await grow({ä: '', z: ''})
    await writeFile(Buffer.concat([Buffer.from(`${root}/a`), Buffer.from([0xff])]), '')
    const folder = Buffer.concat([Buffer.from(`${root}/f`), Buffer.from([0xc3])])
    await mkdir(folder)
    await writeFile(Buffer.concat([folder, Buffer.from('/file')]), '')
    const {names, failures} = await walk(root)
    expect(names).to.deep.equal(['z', 'ä'])
    expect(failures).to.deep.equal([
      'usage: The name of "a\uFFFD" is not UTF-8, as keys must be: this file stays behind.',
      'usage: The name of "f\uFFFD" is not UTF-8, as keys must be: this folder and all that is in it stays behind.',
    ])
  })

  it('looks into no folder that is not wanted', async () => {
    const root = await grow({'keep/a': '', 'drop/b': '', 'drop/deep/c': '', d: ''})
    const asked: string[] = []
    const isWanted = (name: string): boolean => {
      asked.push(name)
      return name !== 'drop/'
    }
    expect((await walk(root, {isWanted})).names).to.deep.equal(['d', 'keep/a'])
    expect(asked).to.deep.equal(['d', 'drop/', 'keep/', 'keep/a'])
  })

  it('goes on with what is left when folders and files go away meanwhile', async () => {
    const root = await grow({'a/1': '', 'b/1': '', 'c/1': '', 'd/1': ''})
    const {names, failures} = await walk(root, {}, async ({name}) => {
      if (name === 'a/1') await rm(join(root, 'b'), {recursive: true})
    })
    expect(names).to.deep.equal(['a/1', 'c/1', 'd/1'])
    expect(failures).to.deep.equal(['source-changed: The folder "b" went away while it was read.'])
  })
})
