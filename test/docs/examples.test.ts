import {expect} from 'chai'
import {COMMANDS} from '../../src/commands/index.ts'
import {hasSwift, needSwift} from '../servers/swift.ts'
import {skipUnless} from '../support/skip.ts'
import {openAccount} from '../support/swift-account.ts'
import {readBlocks} from './markdown.ts'
import type {Block} from './markdown.ts'
import {readPages} from './pages.ts'
import {checkLine, readLines} from './skylift-lines.ts'
import {closeShells, openShell} from './shell.ts'
import type {Shell} from './shell.ts'

/** Made from the commands: its lines are read, and what runs stands on the other pages. */
const REFERENCE = 'docs/commands.md'
/** They build or release this repository; the demo has a test of its own. */
const OF_A_CLONE = /^(?:npm|npx|git|\.ci\/run|bin\/dev\.js)\b/mu

describe('every shell example of the documentation', function () {
  this.timeout(120_000)
  const pages = readPages()
  after(closeShells)

  it('names only commands and flags that there are', () => {
    const wrong = pages.flatMap(({path, text}) =>
      readBlocks(text)
        .filter(({language}) => language === 'sh')
        .flatMap(({code, line}) =>
          readLines(code)
            .flatMap(words => checkLine(words, COMMANDS))
            .map(problem => `${path}:${line} ${problem}`),
        ),
    )
    expect(wrong).to.deep.equal([])
  })

  it('would be found if it named others', () => {
    const script =
      'A=1 skylift upload x --nope s3://b/ --metadata=a=b \\\n  -z "--quoted" -- --not-ours; skylift uplaod x'
    expect(readLines(script).flatMap(words => checkLine(words, COMMANDS))).to.deep.equal([
      'skylift upload has no --nope',
      'skylift upload has no -z',
      'names no command: skylift uplaod x',
    ])
  })

  it('is run, but for a few that say why not', () => {
    const all = pages.filter(({path}) => path !== REFERENCE).flatMap(({text}) => readBlocks(text))
    const blocks = all.filter(({language}) => language === 'sh')
    const reasons = blocks.flatMap(({notRun}) => notRun ?? [])
    expect(reasons.length).to.be.below(blocks.length / 4)
    for (const reason of reasons) expect(reason.split(' ')).to.have.length.above(1)
  })

  for (const page of pages.filter(({path}) => path !== REFERENCE)) {
    const blocks = readBlocks(page.text).filter(({language}) => language === 'sh')
    if (blocks.length > 0) describe(page.path, () => runBlocks(blocks))
  }
})

function runBlocks(blocks: readonly Block[]): void {
  const ran = blocks.filter(block => reasonNotTo(block) === undefined)
  const isSwift = ran.some(({code}) => code.includes('swift://'))
  let shell: Shell

  before(async function () {
    if (ran.length === 0) return
    skipUnless(this, process.platform !== 'win32', 'The examples are for a shell of Linux or macOS')
    if (isSwift) needSwift(this)
    shell = await openShell(isSwift ? await swiftEnv() : {})
    await shell.makeContainers(takenForGranted(ran))
  })

  for (const block of blocks) {
    const {code, line, before = '', status} = block
    const title = `line ${line}: ${code.split('\n', 1)[0]}`
    if (reasonNotTo(block) !== undefined) continue
    it(title, async () => {
      const ending = await shell.run(`${before}\n${code}`)
      expect(ending.status, `line ${line}:\n${ending.output}`).to.equal(status)
    })
  }
}

function reasonNotTo({notRun, code}: Block): string | undefined {
  return notRun ?? (OF_A_CLONE.test(code) ? 'builds this repository' : undefined)
}

/** Containers that are used before an example makes them. */
function takenForGranted(blocks: readonly Block[]): string[] {
  const all = blocks.map(({before = '', code}) => `${before}\n${code}`).join('\n')
  const uses = [...all.matchAll(/(?<maker>container create )?\b(?<target>(?:s3|sandbox|swift):\/\/[a-z\d][\w.-]+)/gu)]
  const first = new Map<string, boolean>()
  for (const {groups = {}} of uses) {
    const target = groups['target'] ?? ''
    if (!first.has(target)) first.set(target, groups['maker'] !== undefined)
  }
  return [...first].filter(([, isMade]) => !isMade).map(([target]) => target)
}

async function swiftEnv(): Promise<Record<string, string>> {
  if (!hasSwift()) return {}
  const {env, raw} = await openAccount()
  // As an account is before its first temp URL.
  await raw('POST', '', {'x-account-meta-temp-url-key': '', 'x-account-meta-temp-url-key-2': ''})
  return {...env}
}
