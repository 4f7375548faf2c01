import {execFile} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {parse} from 'yaml'
import {ROOT} from '../docs/pages.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const run = promisify(execFile)

interface Step {
  readonly name?: string
  readonly run?: string
  readonly uses?: string
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, {readonly permissions?: unknown; readonly steps: readonly Step[]}>>
}

function readAll<T>(folder: string): [name: string, content: T][] {
  const path = join(ROOT, '.github', folder)
  return readdirSync(path).map(name => [name, parse(readFileSync(join(path, name), 'utf8')) as T])
}

describe('what GitHub reads', () => {
  const workflows = readAll<Workflow>('workflows')
  const steps = workflows.flatMap(([, {jobs}]) => Object.values(jobs).flatMap(job => job.steps))

  before(function () {
    skipUnless(this, process.platform !== 'win32', 'The scripts are for bash')
  })

  it('has scripts that bash can read, and nothing of others in them', async () => {
    const scripts = steps.map(step => step.run).filter(script => script !== undefined)
    expect(scripts).to.have.length.above(5)
    for (const script of scripts) {
      expect(script).to.not.include('${{')
      await run('bash', ['-n', '-c', script])
    }
  })

  it('gives workflows the least that they need', () => {
    for (const [name, {permissions}] of workflows) expect(permissions, name).to.deep.equal({contents: 'read'})
  })

  it('publishes with provenance and without a stored token', () => {
    const [, release] = workflows.find(([name]) => name === 'release.yml') ?? []
    const publish = release?.jobs['publish']
    expect(publish?.permissions).to.deep.equal({contents: 'read', 'id-token': 'write'})
    expect(publish?.steps.map(step => step.run).join('\n')).to.match(/npm publish --provenance /u)
    expect(JSON.stringify(release)).to.not.match(/secrets\.|NPM_TOKEN|NODE_AUTH_TOKEN/u)
  })

  const tags: [tag: string, isFine: boolean][] = [
    ['v1.2.3', true],
    ['v1.2.4', false],
    ['1.2.3', false],
    ['v1.2.0', false],
  ]
  for (const [tag, isFine] of tags) {
    it(`${isFine ? 'publishes' : 'refuses'} the tag ${tag} of the version 1.2.3`, async () => {
      const check = steps.find(({name}) => name?.startsWith('The tag, the package'))
      const cwd = await makeTempFolder()
      await writeFile(join(cwd, 'package.json'), '{"version": "1.2.3"}')
      await writeFile(join(cwd, 'CHANGELOG.md'), '# Changelog\n\n## Unreleased\n\n## [1.2.3] - 2030-01-01\n')
      const env = {PATH: process.env['PATH'] ?? '', TAG: tag}
      const isTaken = await run('bash', ['-c', check?.run ?? ''], {cwd, env}).then(
        () => true,
        () => false,
      )
      expect(isTaken).to.equal(isFine)
    })
  }

  it('takes the words of a release from the changelog', async () => {
    const announce = steps.find(({run = ''}) => run.includes('gh release create'))
    const script = (announce?.run ?? '').replace(/^gh release.*$/mu, 'cat notes.md')
    const cwd = await makeTempFolder()
    const changelog =
      '# C\n\n## Unreleased\n\n- later\n\n## [1.2.3] - 2030-01-01\n\n- now\n\n## [1.2.2] - 2029-01-01\n\n- before\n'
    await writeFile(join(cwd, 'CHANGELOG.md'), changelog)
    const {stdout} = await run('bash', ['-c', script], {cwd, env: {PATH: process.env['PATH'] ?? '', TAG: 'v1.2.3'}})
    expect(stdout.trim()).to.equal('- now')
  })

  it('asks whoever reports for what is needed', () => {
    const forms = readAll<{readonly name?: string; readonly body?: readonly {readonly id?: string}[]}>('ISSUE_TEMPLATE')
    expect(forms.map(([name]) => name).toSorted()).to.deep.equal(['bug.yml', 'config.yml', 'idea.yml', 'store.yml'])
    for (const [name, {body = []}] of forms) {
      const ids = body.map(({id}) => id).filter(id => id !== undefined)
      expect(new Set(ids).size, name).to.equal(ids.length)
    }
    const [, bug] = forms.find(([name]) => name === 'bug.yml') ?? []
    expect(bug?.body?.map(({id}) => id)).to.include.members(['command', 'version', 'store'])
  })
})
