import {createHash} from 'node:crypto'
import {existsSync} from 'node:fs'
import {appendFile, open, readFile, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {expect} from 'chai'
import {compareFiles, hashFile, makeRandomFile} from './random-file.ts'
import {makeTempFolder, removeTempFolders} from './temp-folder.ts'

const size = 9_000_001

describe('random file', () => {
  let a: string
  let b: string

  beforeEach(async () => {
    const folder = await makeTempFolder()
    a = join(folder, 'a')
    b = join(folder, 'b')
  })

  it('has its size, and no pattern', async () => {
    for (const wanted of [0, 1, 4 * 1024 * 1024, size]) {
      await makeRandomFile(a, wanted)
      expect((await readFile(a)).length).to.equal(wanted)
    }
    expect(gzipSync(await readFile(a)).length).to.be.above(size)
  })

  it('is the same for the same seed only, and the beginning of a longer one', async () => {
    await makeRandomFile(a, size, 1)
    await makeRandomFile(b, size, 1)
    expect(await compareFiles(a, b)).to.equal(-1)
    await makeRandomFile(b, 5_000_000, 1)
    expect(await compareFiles(a, b)).to.equal(5_000_000)
    await makeRandomFile(b, size, 2)
    expect(await compareFiles(a, b)).to.be.within(0, 3)
    await makeRandomFile(a, size)
    await makeRandomFile(b, size)
    expect(await hashFile(a)).to.not.equal(await hashFile(b))
  })

  it('is hashed like its bytes', async () => {
    await makeRandomFile(a, size, 'seed')
    const hash = createHash('sha256').update(await readFile(a))
    expect(await hashFile(a)).to.equal(hash.digest('hex'))
  })

  it('differs at the very byte, or where one file ends', async () => {
    await makeRandomFile(a, size, 1)
    await makeRandomFile(b, size, 1)
    const file = await open(b, 'r+')
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, 8_500_000)
    await file.write(Buffer.of(byte[0]! ^ 1), 0, 1, 8_500_000)
    await file.close()
    expect(await compareFiles(a, b)).to.equal(8_500_000)
    await writeFile(b, await readFile(a))
    await appendFile(b, 'x')
    expect([await compareFiles(a, b), await compareFiles(b, a)]).to.deep.equal([size, size])
  })
})

describe('temp folder', () => {
  it('is new, under the system folder, and goes with all that is in it', async () => {
    const [one, two] = [await makeTempFolder(), await makeTempFolder()]
    expect(one).to.not.equal(two)
    expect(one.startsWith(tmpdir())).to.equal(true)
    await writeFile(join(one, 'file'), 'x')
    await removeTempFolders()
    expect([existsSync(one), existsSync(two)]).to.deep.equal([false, false])
  })
})
