import {execFileSync} from 'node:child_process'
import {readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {openAnew} from '../../src/state/open-anew.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

describe('openAnew', () => {
  it('takes a link to a pipe, as a shell names one, and no other link', async () => {
    const folder = await makeTempFolder()
    const [pipe, file, toPipe, toFile] = ['pipe', 'file', 'to-pipe', 'to-file'].map(name => join(folder, name)) as [
      string,
      string,
      string,
      string,
    ]
    execFileSync('mkfifo', [pipe])
    await writeFile(file, 'precious')
    await symlink(pipe, toPipe)
    await symlink(file, toFile)
    const heard = readFile(pipe, 'utf8')
    const handle = await openAnew(toPipe, {isSecret: true})
    await handle.appendFile('a line\n')
    await handle.close()
    expect(await heard).to.equal('a line\n')
    const refusal = await openAnew(toFile, {isSecret: true}).catch((error: unknown) => error)
    expect(refusal).to.have.property('code', 'ELOOP')
    expect(await readFile(file, 'utf8')).to.equal('precious')
  })
})
