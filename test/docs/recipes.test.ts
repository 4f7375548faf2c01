import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {parse} from 'yaml'
import {readAction, runAction} from '../action/run-action.ts'
import {skipUnless} from '../support/skip.ts'
import {readBlocks} from './markdown.ts'
import {readPage} from './pages.ts'
import {closeShells, openShell} from './shell.ts'
import type {Shell} from './shell.ts'

interface WorkflowStep {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, string | boolean>>
}

describe('the recipes of docs/ci.md', function () {
  this.timeout(60_000)
  const {text} = readPage('docs/ci.md')
  const recipes = new Map(readBlocks(text).flatMap(({recipe, code}) => (recipe === undefined ? [] : [[recipe, code]])))
  let shell: Shell

  before(async function () {
    skipUnless(this, process.platform === 'linux', 'The recipes are for Linux')
    shell = await openShell({CI: 'true'})
    await shell.makeContainers(['s3://site', 's3://images', 's3://backups'])
  })
  after(closeShells)

  const take = (name: string): string => recipes.get(name) ?? expect.fail(`There is no recipe ${name}.`)
  /** Runs lines in one shell, and looks at what then stands at the store. */
  async function run(lines: readonly string[], there: readonly string[]): Promise<void> {
    const {status, output} = await shell.run(lines.join('\n'))
    expect(status, output).to.equal(0)
    for (const target of there) {
      const look = await shell.run(`skylift link ${target} --check`)
      expect(look.status, look.output).to.equal(0)
    }
  }

  it('are these', () => {
    expect([...recipes.keys()]).to.deep.equal([
      ...['github', 'trust policy', 'github resume', 'gitlab', 'jenkins', 'cron'],
      ...['systemd service', 'systemd timer', 'dockerfile', 'kubernetes'],
    ])
  })

  it('GitHub Actions: the steps of the workflow run', async () => {
    const workflow = parse(take('github')) as {
      permissions: unknown
      jobs: Record<string, {steps: readonly WorkflowStep[]}>
    }
    expect(workflow.permissions).to.deep.equal({contents: 'read', 'id-token': 'write'})
    const steps = workflow.jobs['publish']?.steps ?? []
    for (const {run = ''} of steps) expect(run).to.not.include('${{')
    await runSteps(steps, ['s3://site/index.html', 's3://site/assets/logo.svg'])
    await runSteps(parse(take('github resume')) as readonly WorkflowStep[], ['s3://images/disk.img'])
  })

  async function runSteps(steps: readonly WorkflowStep[], there: readonly string[]): Promise<void> {
    const ours = steps.filter(({uses}) => uses === 'OWNER/skylift@COMMIT')
    expect(ours).to.have.length(1)
    for (const {with: given = {}} of ours) {
      expect(Object.keys(readAction().inputs)).to.include.members(Object.keys(given))
      const inputs = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]))
      const temp = join(shell.folder, '..', `runner-${there.length}`)
      const {status, log} = await runAction(inputs, {env: shell.env, cwd: shell.folder, temp})
      expect(status, log).to.equal(0)
    }
    await run([], there)
  }

  it('the trust policy lets in one branch of one repository', () => {
    const {Statement} = JSON.parse(take('trust policy')) as {
      Statement: {Action: string; Condition: Record<string, Record<string, string>>}[]
    }
    expect(Statement.map(({Action}) => Action)).to.deep.equal(['sts:AssumeRoleWithWebIdentity'])
    const conditions = Object.values(Statement[0]?.Condition['StringEquals'] ?? {})
    expect(conditions).to.deep.equal(['sts.amazonaws.com', 'repo:OWNER/REPOSITORY:ref:refs/heads/main'])
  })

  it('GitLab CI: what the job runs', async () => {
    const {upload} = parse(take('gitlab')) as {
      upload: {variables: Record<string, string>; before_script: string[]; script: string[]; retry: unknown}
    }
    expect(upload.retry).to.deep.equal({max: 2, exit_codes: [8]})
    const given = {CI_PROJECT_DIR: shell.folder, AWS_ID_TOKEN: 'a.b.c', AWS_WEB_IDENTITY_TOKEN_FILE: 'id-token'}
    // The region of AWS is not that of the sandbox.
    const variables = Object.entries({...upload.variables, ...given}).filter(([name]) => name !== 'AWS_REGION')
    const exports = variables.map(([name, value]) => `export ${name}="${value}"`)
    const lines = [...upload.before_script, ...upload.script].filter(line => !line.startsWith('npm install'))
    expect(lines).to.have.length(upload.before_script.length + upload.script.length - 1)
    await run([...exports.toReversed(), ...lines, 'test -s results.ndjson'], ['s3://site/404.html'])
  })

  it('Jenkins: what the pipeline runs', async () => {
    const pipeline = take('jenkins')
    expect(pipeline.split('{')).to.have.length(pipeline.split('}').length)
    const lines = [...pipeline.matchAll(/\bsh '(?<line>[^']+)'/gu)].map(({groups}) => groups?.['line'] ?? '')
    expect(lines).to.have.length(1)
    await run([`export SKYLIFT_STATE_DIR="$PWD/.skylift"`, ...lines], ['s3://site/app.js'])
  })

  it('cron: each line has a schedule, and a command that runs', async () => {
    const jobs = take('cron')
      .split('\n')
      .filter(line => /^[\d*]/u.test(line))
    expect(jobs).to.have.length(2)
    const commands = jobs.map(line => {
      const {
        minute,
        hour,
        command = '',
      } = /^(?<minute>\d+) (?<hour>\d+) \* \* \* {2}(?<command>.+)$/u.exec(line)?.groups ?? {}
      expect(Number(minute)).to.be.within(0, 59)
      expect(Number(hour)).to.be.within(0, 23)
      // A percent sign that is not escaped is the end of the line to cron.
      expect(command).to.not.match(/[^\\]%/u)
      return command.replaceAll('\\%', '%').replaceAll('/tmp/', `${shell.folder}/`)
    })
    const scripts = commands.map((_, at) => `sh "job-${at}.sh"`)
    for (const [at, command] of commands.entries()) await writeFile(join(shell.folder, `job-${at}.sh`), `${command}\n`)
    await run(scripts, ['s3://backups/photos/2030/sea.jpg', '"s3://backups/shop-$(date +%F).sql"'])
  })

  it('systemd: units that can be read, and what the service starts', async () => {
    const service = readUnit(take('systemd service'))
    const timer = readUnit(take('systemd timer'))
    expect(Object.keys(service)).to.deep.equal(['Unit', 'Service'])
    expect(timer['Timer']?.['Persistent']).to.equal('true')
    expect(timer['Install']?.['WantedBy']).to.equal('timers.target')
    const {ExecStart = '', Environment = '', RestartPreventExitStatus} = service['Service'] ?? {}
    expect(RestartPreventExitStatus).to.equal('2 4 5 6')
    const [program, ...words] = ExecStart.replace('/srv/photos', join(shell.folder, 'photos')).split(' ')
    expect(program).to.equal('/usr/local/bin/skylift')
    await run(
      [`export ${Environment.replace('%S', shell.folder)}`, ['skylift', ...words].join(' ')],
      ['s3://backups/photos/2030/hills.jpg'],
    )
  })

  it('Kubernetes: a Job, and what its container runs', async () => {
    const job = parse(take('kubernetes')) as {
      apiVersion: string
      kind: string
      spec: {
        podFailurePolicy: {rules: readonly {onExitCodes: {values: number[]; containerName: string}}[]}
        template: {
          spec: {
            restartPolicy: string
            containers: readonly {
              name: string
              args: readonly string[]
              volumeMounts: readonly {name: string}[]
            }[]
            volumes: readonly {name: string}[]
          }
        }
      }
    }
    expect([job.apiVersion, job.kind]).to.deep.equal(['batch/v1', 'Job'])
    const {restartPolicy, containers, volumes} = job.spec.template.spec
    // A policy of failures goes with no other.
    expect(restartPolicy).to.equal('Never')
    const [container] = containers
    const [rule] = job.spec.podFailurePolicy.rules
    expect(rule?.onExitCodes).to.deep.include({containerName: container?.name, values: [2, 4, 5, 6]})
    expect(container?.volumeMounts.map(({name}) => name)).to.deep.equal(volumes.map(({name}) => name))
    expect(take('dockerfile')).to.include('ENTRYPOINT ["skylift"]')
    await mkdir(join(shell.folder, 'data'), {recursive: true})
    const words = (container?.args ?? []).map(word => word.replace('/data/photos', 'photos'))
    await run([['skylift', ...words].join(' ')], ['s3://backups/photos/2030/sea.jpg'])
  })
})

/** Reads a unit of systemd: sections of name=value lines. */
function readUnit(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {}
  let section: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const [, title] = /^\[(\w+)\]$/u.exec(line) ?? []
    const [, name, value] = /^([A-Z]\w+)=(.+)$/u.exec(line) ?? []
    if (title !== undefined) sections[title] = section = {}
    else if (name !== undefined && value !== undefined) section[name] = value
    else if (line !== '' && !line.startsWith('#')) throw new Error(`Not a line of a unit: ${line}`)
  }
  return sections
}
