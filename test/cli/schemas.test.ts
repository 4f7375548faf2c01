import {readFileSync} from 'node:fs'
import {mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Ajv2020} from 'ajv/dist/2020.js'
import type {ValidateFunction} from 'ajv'
import {expect} from 'chai'
import {EXIT_CODES} from '../../src/cli/exit-codes.ts'
import {openArena, BUCKET} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {slowDown} from '../support/fault-answers.ts'
import {reset, slow} from '../support/faults.ts'
import {runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

function readSchema(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(ROOT, 'docs', name), 'utf8')) as Record<string, unknown>
}

/** Nothing may come that the schema does not name: what real runs say is all there. */
function compile(name: string): ValidateFunction {
  const ajv = new Ajv2020({strict: true, strictRequired: false, strictTypes: false, allErrors: true})
  return ajv.compile({...readSchema(name), unevaluatedProperties: false})
}

function checkLines(text: string, validate: ValidateFunction): Record<string, unknown>[] {
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
  for (const line of lines) {
    if (!validate(line)) throw new Error(`${JSON.stringify(line)}: ${JSON.stringify(validate.errors, null, 2)}`)
  }
  return lines
}

describe('the schemas in docs', () => {
  const validateEvent = compile('events.schema.json')
  const validateResult = compile('results.schema.json')
  let arena: Arena
  let home: Home
  const seen = new Set<string>()

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
    for (const name of ['a', 'b/c', 'd']) {
      await mkdir(join(home.folder, 'dist', name, '..'), {recursive: true})
      await writeFile(join(home.folder, 'dist', name), name)
    }
    await symlink('nowhere', join(home.folder, 'dist/dead'))
    await symlink('.', join(home.folder, 'dist/loop'))
  })
  after(() => arena.close())

  async function run(argv: readonly string[], stdin?: string): Promise<Ending> {
    const ending = await runSkylift(['upload', ...argv, '--progress', 'json'], {
      env: home.env,
      cwd: home.folder,
      ...(stdin === undefined ? {} : {stdin: Buffer.from(stdin)}),
    })
    for (const {event} of checkLines(ending.stderr, validateEvent)) seen.add(String(event))
    return ending
  }

  it('hold for folders with failures, a run that goes on, and one that leaves out', async () => {
    const argv = ['dist', '-r', `s3://${BUCKET}/x/`, '--results', 'r.ndjson']
    const statuses: unknown[] = []
    for (const more of [[], [], ['--skip-unchanged', 'checksum', '--resume', 'never']]) {
      expect((await run([...argv, ...more])).status).to.equal(5)
      statuses.push(
        checkLines(await readFile(join(home.folder, 'r.ndjson'), 'utf8'), validateResult)
          .map(({status, reason}) => String(reason ?? status))
          .toSorted(),
      )
    }
    expect(statuses).to.deep.equal([
      ['failed', 'stored', 'stored', 'stored'],
      ['failed', 'stored-before', 'stored-before', 'stored-before'],
      ['failed', 'unchanged', 'unchanged', 'unchanged'],
    ])
  })

  it('hold for parts, retries and a stream', async () => {
    const big = await arena.makeFile(12 * 1024 * 1024)
    arena.proxy.inject({operation: 'part', fault: slowDown()})
    arena.proxy.inject({operation: 'part', fault: slow(20_000_000), times: Infinity})
    arena.proxy.inject({operation: 'create', fault: reset('headers')})
    expect((await run([big, `s3://${BUCKET}/big`, '-p', '5M', '--link'])).status).to.equal(0)
    arena.proxy.clear()
    expect((await run(['-', `s3://${BUCKET}/stream`, '--results', 's.ndjson'], 'words')).status).to.equal(0)
    const lines = checkLines(await readFile(join(home.folder, 's.ndjson'), 'utf8'), validateResult)
    expect(lines.map(({status, stream}) => [status, stream])).to.deep.equal([['stored', true]])
  })

  it('hold for a run that does not try all files', async () => {
    const missing = Array.from({length: 60}, (_, index) => `missing-${index}`).join('\n')
    const argv = [`s3://${BUCKET}/x/`, '--from-file', '-', '--max-failures', '1', '--results', 'm.ndjson']
    expect((await run(argv, missing)).status).to.equal(5)
    const lines = checkLines(await readFile(join(home.folder, 'm.ndjson'), 'utf8'), validateResult)
    expect(lines.at(-1)).to.include({status: 'stopped'})
  })

  it('hold for a command that cannot be understood', async () => {
    expect((await run(['dist', '--nonsense'])).status).to.equal(2)
    expect((await run(['dist', `s3://${BUCKET}/x`, '-r'])).status).to.equal(2)
  })

  it('name every event and every code, and none besides', () => {
    const {oneOf, $defs} = readSchema('events.schema.json') as {
      oneOf: {title: string}[]
      $defs: {code: {enum: string[]}}
    }
    expect(oneOf.map(({title}) => title).toSorted()).to.deep.equal([...seen].toSorted())
    const source = readFileSync(join(ROOT, 'src/upload/events.ts'), 'utf8')
    const named = [...source.matchAll(/readonly event: '(\w+)'/gu)].map(([, name = '']) => name)
    // The last words of a command are those of every command.
    expect(oneOf.map(({title}) => title).toSorted()).to.deep.equal([...named, 'failure'].toSorted())
    for (const schema of [$defs, (readSchema('results.schema.json') as {$defs: typeof $defs}).$defs]) {
      expect(schema.code.enum.toSorted()).to.deep.equal(Object.keys(EXIT_CODES).toSorted())
    }
  })
})
