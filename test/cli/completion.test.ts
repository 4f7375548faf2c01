import {spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {describeCommands, groupWords} from '../../src/cli/completion/describe-commands.ts'
import {quoteWord} from '../../src/cli/shell-words.ts'
import {COMMANDS} from '../../src/commands/index.ts'
import {BIN, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {needTerminal} from '../support/terminal.ts'

/** What is typed before Tab, and what the line is then. */
const CASES: readonly (readonly [typed: string, completed: string])[] = [
  ['skylift upl', 'skylift upload '],
  ['skylift contai', 'skylift container '],
  ['skylift container cre', 'skylift container create '],
  ['skylift bucket cre', 'skylift bucket create '],
  ['skylift remote ad', 'skylift remote add '],
  ['skylift upload --storage-c', 'skylift upload --storage-class '],
  ['skylift up --no-clob', 'skylift up --no-clobber '],
  ['skylift upload --progress js', 'skylift upload --progress json '],
  ['skylift upload --progress=js', 'skylift upload --progress=json '],
  ['skylift cors set s3://inbox --preset br', 'skylift cors set s3://inbox --preset browser-upload '],
  ['skylift remote add x --preset scale', 'skylift remote add x --preset scaleway '],
  ['skylift completion po', 'skylift completion powershell '],
  ['skylift container list sand', 'skylift container list sandbox://'],
  ['skylift container list mine', 'skylift container list mine-of-old://'],
  ['skylift upload local-fi', 'skylift upload local-file.bin '],
  ['skylift upload local-file.bin mine', 'skylift upload local-file.bin mine-of-old://'],
  ['skylift upload a-fold', 'skylift upload a-folder/'],
  ['skylift upload --receipt local-fi', 'skylift upload --receipt local-file.bin '],
  ['skylift remote show mine', 'skylift remote show mine-of-old '],
  ['skylift nonsense loc', 'skylift nonsense loc'],
]

const SHELLS = {
  bash: {argv: ['bash', '--norc', '--noprofile', '-i'], setUp: ['source <(skylift completion bash)']},
  zsh: {
    argv: ['zsh', '-f', '-i'],
    setUp: [
      'autoload -U compinit',
      'compinit -u -D',
      'bindkey -e',
      'unsetopt beep',
      'source <(skylift completion zsh)',
    ],
  },
} as const

describe('completion', function () {
  this.timeout(60_000)
  let home: Home
  let folder: string

  before(async () => {
    home = await makeHome()
    folder = join(home.folder, 'here')
    await mkdir(join(folder, 'a-folder'), {recursive: true})
    await mkdir(join(home.folder, 'bin'))
    await writeFile(join(folder, 'local-file.bin'), 'x')
    const program = `#!/bin/sh\nexec ${quoteWord(process.execPath)} ${quoteWord(BIN)} "$@"\n`
    await writeFile(join(home.folder, 'bin', 'skylift'), program, {mode: 0o755})
    await callSkylift(['remote', 'add', 'mine-of-old', '--preset', 'gcs'], home)
  })

  /** Types each line into a shell on a terminal, then Tab, and lets the shell itself say what the line is. */
  async function complete(shell: keyof typeof SHELLS, lines: readonly string[]): Promise<string[]> {
    const {argv, setUp} = SHELLS[shell]
    const env = {...home.env, PATH: `${join(home.folder, 'bin')}:${home.env['PATH']}`, TERM: 'dumb', PS1: '> '}
    const child = spawn('script', ['-qec', argv.join(' '), '/dev/null'], {env, cwd: folder})
    const typed = [...setUp, 'echo "R""EADY"'].map(line => `${line}\r`)
    let screen = ''
    const left = lines.map(line => `${line}\t\u0001echo "R[\u0005]"\r`)
    let results = 0
    child.stdout.on('data', (piece: Buffer) => {
      screen += piece.toString()
      const seen = screen.split('\n').filter(line => /^R\[.*\]\r?$/u.test(line)).length
      // One after the other: a shell may forget what is typed while it completes.
      if (!screen.includes('\nREADY') || (seen < results && results > 0)) return
      const next = left.shift()
      if (next !== undefined) child.stdin.write(next)
      else if (results === lines.length) child.stdin.write('exit\r')
      results++
    })
    child.stdin.write(typed.join(''))
    await once(child, 'close')
    return screen.split('\n').flatMap(line => /^R\[(.*)\]\r?$/u.exec(line)?.[1] ?? [])
  }

  for (const shell of ['bash', 'zsh'] as const) {
    it(`of ${shell}, typed on a terminal`, async function () {
      needTerminal(this)
      skipUnless(
        this,
        spawnSync(shell, ['--version']).status === 0,
        `no ${shell} to type into: apt-get install ${shell}`,
      )
      const results = await complete(
        shell,
        CASES.map(([typed]) => typed),
      )
      // Zsh takes a space or slash at the end back when the cursor moves away.
      const wanted = CASES.map(([, line]) => (shell === 'zsh' ? line.replace(/(?<!\/)[ /]$/u, '') : line))
      expect(results).to.deep.equal(wanted)
    })
  }

  it('knows every command, every flag and every alias', async () => {
    const commands = describeCommands(COMMANDS)
    const scripts: string[] = []
    for (const shell of ['bash', 'zsh', 'powershell']) {
      scripts.push(readJson<{script: string}>(await callSkylift(['completion', shell, '--json'], home)).script)
    }
    for (const [id, command] of Object.entries(COMMANDS)) {
      const [name = '', ...aliases] = [id, ...command.aliases].map(each => each.replaceAll(':', ' '))
      const found = commands.find(each => each.name === name)
      const flags = Object.entries({...command.baseFlags, ...command.flags}).filter(([, {hidden}]) => !hidden)
      expect(found?.aliases, name).to.deep.equal(aliases)
      expect(
        found?.flags.map(flag => flag.name),
        name,
      ).to.include.members(flags.map(([flag]) => `--${flag}`))
      for (const script of scripts) for (const each of [name, ...aliases]) expect(script).to.include(`'${each}'`)
    }
    expect([...groupWords(commands).keys()]).to.include.members(['', 'container', 'bucket', 'cors', 'remote'])
  })

  it('has nothing in PowerShell that would end a string or begin a variable', async () => {
    const {stdout} = await callSkylift(['completion', 'powershell'], home)
    const tables = stdout.slice(stdout.indexOf('$words'), stdout.indexOf('$before'))
    expect(tables.replaceAll(/'(?:[^']|'')*'/gu, 'S')).to.match(/^(?:[\s$\w,=(){}]|@(?=[({]))*$/u)
    expect(tables.split('\n').length).to.be.above(50)
  })

  it('has no two names in a table of PowerShell that differ in their case alone, which PowerShell refuses', async () => {
    const {stdout} = await callSkylift(['completion', 'powershell'], home)
    const tables = stdout.split(/^ {2}\$\w+ = @\{$/mu).slice(1)
    expect(tables).to.have.length(4)
    for (const table of tables) {
      const names = [...table.matchAll(/^ {4}'([^']*)' = /gmu)].map(([, name = '']) => name.toLowerCase())
      expect(names.length).to.be.above(5)
      expect(names).to.deep.equal([...new Set(names)])
    }
  })

  it('prints nothing for a shell that it does not know', async () => {
    const {status, stdout, stderr} = await callSkylift(['completion', 'fish'], home)
    expect({status, stdout}).to.deep.equal({status: 2, stdout: ''})
    expect(stderr).to.include('bash, zsh, powershell')
  })
})
