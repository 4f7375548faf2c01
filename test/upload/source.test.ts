import {execFileSync} from 'node:child_process'
import {
  appendFile,
  chmod,
  link,
  mkdir,
  open,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import {createWriteStream} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {checkFile, openFile} from '../../src/upload/source.ts'
import type {Source} from '../../src/upload/source.ts'
import {skipUnless} from '../support/skip.ts'
import {SOON} from '../support/soon.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {pastTick} from '../support/tick.ts'

/** What fails at once, or with a promise. */
async function failureOf(run: () => unknown): Promise<Failure> {
  try {
    await run()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing failed')
}

describe('files to upload', () => {
  let folder: string
  before(async () => {
    folder = await makeTempFolder()
  })

  /** Both looks at a file must say the same of it. */
  async function refusal(path: string): Promise<Failure> {
    const opened = await failureOf(() => openFile(path))
    const checked = await failureOf(() => checkFile(path))
    expect({code: checked.code, message: checked.message}).to.deep.equal({code: opened.code, message: opened.message})
    return opened
  }

  it('fails not-found where there is none, and under what is no folder', async () => {
    const missing = await refusal(join(folder, 'nowhere'))
    expect(missing.code).to.equal('not-found')
    expect(missing.message).to.equal(`There is no file "${join(folder, 'nowhere')}".`)
    await writeFile(join(folder, 'a-file'), '')
    expect((await refusal(join(folder, 'a-file', 'below'))).code).to.equal('not-found')
  })

  it('fails usage for a folder, and says what folders need', async () => {
    const failure = await refusal(folder)
    expect(failure.code).to.equal('usage')
    expect(failure.message).to.equal(`"${folder}" is a folder.`)
    expect(failure.suggestion).to.contain('-r')
  })

  it('fails usage for a FIFO without waiting for a writer', async function () {
    skipUnless(this, process.platform !== 'win32', 'Windows has no FIFOs')
    const path = join(folder, 'fifo')
    execFileSync('mkfifo', [path])
    expect((await failureOf(() => checkFile(path))).message).to.match(/is not a regular file\.$/u)
    const opening = failureOf(() => openFile(path))
    const deadline = new Promise<'hangs'>(resolve => {
      setTimeout(() => resolve('hangs'), SOON).unref()
    })
    const first = await Promise.race([opening, deadline])
    // A thread that hangs in open() would keep this process from ending.
    if (first === 'hangs') createWriteStream(path).end()
    const failure = await opening
    expect(first).to.equal(failure)
    expect(failure.code).to.equal('usage')
  })

  it('fails usage for a device', async function () {
    skipUnless(this, process.platform !== 'win32', 'Windows has no /dev/zero')
    expect((await refusal('/dev/zero')).message).to.equal('"/dev/zero" is not a regular file.')
  })

  it('fails usage for what says that it is empty and is not', async function () {
    skipUnless(this, process.platform === 'linux', 'no /proc')
    const failure = await failureOf(() => openFile('/proc/self/status'))
    expect(failure.code).to.equal('usage')
    expect(failure.message).to.equal(
      '"/proc/self/status" has no size of its own: the system makes it while it is read.',
    )
  })

  it('fails forbidden where it may not be read', async function () {
    skipUnless(this, process.getuid !== undefined, 'Windows has no mode bits')
    const open = await makeTempFolder()
    await chmod(open, 0o755)
    const path = join(open, 'secret')
    await writeFile(path, 'secret', {mode: 0o000})
    await chmod(path, 0o000)
    // The mode stops everybody but root.
    const isRoot = process.getuid?.() === 0
    if (isRoot) process.seteuid?.(65_534)
    try {
      const failure = await failureOf(() => openFile(path))
      expect(failure.code).to.equal('forbidden')
      expect(failure.message).to.contain(path)
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })

  it('reads at any position, any number of times, and never past the end of its range', async () => {
    const path = join(folder, 'ranges')
    await writeFile(path, '0123456789')
    const source = await openFile(path)
    try {
      expect(source.size).to.equal(10)
      const body = source.body({offset: 2, size: 5})
      expect(body.size).to.equal(5)
      const into = Buffer.alloc(8, '.')
      for (const [position, expected] of [
        [0, '23456'],
        [3, '56'],
        [0, '23456'],
        [5, ''],
      ] as const) {
        const count = await body.read(into, position)
        expect(into.subarray(0, count).toString()).to.equal(expected)
      }
    } finally {
      await source.close()
    }
  })

  it('escapes what a name could do to a terminal', async () => {
    expect((await refusal(join(folder, 'a\u001B[2Jb\nc'))).message).to.contain(String.raw`a\x1b[2Jb\x0ac`)
  })
})

describe('a file that is watched', () => {
  let folder: string
  let path: string
  let source: Source
  beforeEach(async () => {
    folder = await makeTempFolder()
    await mkdir(join(folder, 'release'))
    await symlink('release', join(folder, 'current'))
    path = join(folder, 'current', 'file')
    await writeFile(path, 'as it was')
    // Changes within one tick of a coarse clock would not show in the times.
    await utimes(path, new Date('2026-01-01'), new Date('2026-01-01'))
    await pastTick(path)
    source = await openFile(path)
  })
  afterEach(() => source.close())

  it('is the same while nobody touches it, reading included', async () => {
    await source.body({offset: 0, size: 9}).read(Buffer.alloc(9), 0)
    expect(await source.check()).to.equal('same')
  })

  const changes: readonly (readonly [what: string, change: () => Promise<unknown>, words: RegExp])[] = [
    ['grows', () => appendFile(path, ' and more'), /it grew\.$/u],
    ['shrinks', () => truncate(path, 3), /it became shorter\.$/u],
    ['is emptied', () => truncate(path, 0), /it became shorter\.$/u],
    ['is written to in place', () => writeInPlace(path), /it was written to\.$/u],
    [
      'is replaced by rename',
      async () => {
        await writeFile(`${path}.new`, 'as it was')
        await rename(`${path}.new`, path)
      },
      /another file has taken its place\.$/u,
    ],
    [
      'is behind a link that leads to another folder now',
      async () => {
        await makeNext()
        await symlink('next', join(folder, 'current.new'))
        await rename(join(folder, 'current.new'), join(folder, 'current'))
      },
      /another file has taken its place\.$/u,
    ],
    [
      'is in a folder whose name another one has now',
      async () => {
        await makeNext()
        await rename(join(folder, 'release'), join(folder, 'last'))
        await rename(join(folder, 'next'), join(folder, 'release'))
      },
      /another file has taken its place\.$/u,
    ],
    ['is gone', () => rm(path), /it is gone\.$/u],
    ['is gone, and a folder is there', () => rm(path).then(() => mkdir(path)), /another file has taken its place\.$/u],
  ]
  async function makeNext(): Promise<void> {
    await mkdir(join(folder, 'next'))
    await writeFile(join(folder, 'next', 'file'), 'as it was')
  }
  for (const [what, change, words] of changes) {
    it(`fails source-changed when it ${what}`, async () => {
      await change()
      const failure = await failureOf(() => source.check())
      expect(failure.code).to.equal('source-changed')
      expect(failure.message).to.contain('changed while it was uploaded')
      expect(failure.message).to.match(words)
    })
  }

  it('is touched when only its ctime differs: chmod, a new hard link, a write whose mtime was put back', async () => {
    await chmod(path, 0o600)
    expect(await source.check()).to.equal('touched')
    await link(path, `${path}.link`)
    expect(await source.check()).to.equal('touched')
    const {atime, mtime} = await stat(path)
    await writeInPlace(path)
    await utimes(path, atime, mtime)
    expect(await source.check()).to.equal('touched')
  })

  it('is named where it became shorter than what is asked for, and nobody waits for more', async () => {
    await truncate(path, 4)
    for (const [offset, size] of [
      [0, 9],
      [6, 3],
    ] as const) {
      const failure = await failureOf(async () => source.body({offset, size}).read(Buffer.alloc(size), 0))
      expect(failure.code).to.equal('source-changed')
      expect(failure.message).to.match(/file" became shorter while it was read\.$/u)
    }
    expect(await source.body({offset: 2, size: 2}).read(Buffer.alloc(9), 0)).to.equal(2)
  })
})

async function writeInPlace(path: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.write('AS', 0)
  await file.close()
}
