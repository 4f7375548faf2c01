import {existsSync} from 'node:fs'
import {stat, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {makeFolders} from '../../src/state/make-folders.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

describe('makeFolders', () => {
  it('makes what is missing, for the person alone, and what is there already', async () => {
    const folder = await makeTempFolder()
    const path = join(folder, 'a', 'b', 'c')
    makeFolders(path)
    makeFolders(path)
    for (const each of [path, join(folder, 'a')]) expect((await stat(each)).mode & 0o777).to.equal(0o700)
  })

  it('goes through a link to a folder, and fails where a file stands', async () => {
    const folder = await makeTempFolder()
    await writeFile(join(folder, 'file'), '')
    await symlink(folder, join(folder, 'link'))
    makeFolders(join(folder, 'link', 'a'))
    expect(existsSync(join(folder, 'a'))).to.equal(true)
    expect(() => makeFolders(join(folder, 'file'))).to.throw('EEXIST')
    expect(() => makeFolders(join(folder, 'file', 'a', 'b'))).to.throw('ENOTDIR')
  })

  it('fails where nothing can be made, and does not try for ever', function () {
    skipUnless(this, existsSync('/proc/self'), 'There is no /proc here')
    expect(() => makeFolders('/proc/nope/a')).to.throw("ENOENT: no such file or directory, mkdir '/proc/nope'")
  })
})
