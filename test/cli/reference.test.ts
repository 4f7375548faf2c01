import {readFile} from 'node:fs/promises'
import {Command, Flags} from '@oclif/core'
import {expect} from 'chai'
import {REFERENCE, renderReference} from '../../scripts/reference.ts'
import {COMMANDS} from '../../src/commands/index.ts'

class Send extends Command {
  static override summary = 'Send with <%= config.bin %>.'
  static override aliases = ['throw']
  static override usage = '<%= command.id %> FILE...'
  static override flags = {
    speed: Flags.string({char: 's', description: 'a|b', options: ['slow', 'fast'], default: 'slow', env: 'SEND_SPEED'}),
    secret: Flags.boolean({description: 'not to be seen', hidden: true}),
  }

  static override examples = ['<%= config.bin %> <%= command.id %> a.bin']
  async run(): Promise<void> {}
}

describe('the command reference', () => {
  it('is what the commands say: if not, run npm run docs', async () => {
    // A checkout on Windows may have its own line ends.
    const page = (await readFile(REFERENCE, 'utf8')).replaceAll('\r\n', '\n')
    expect(page).to.equal(renderReference(COMMANDS))
  })

  it('has a line for each flag that is not hidden', () => {
    const page = renderReference(COMMANDS)
    for (const [id, {flags}] of Object.entries(COMMANDS)) {
      for (const [name, {hidden}] of Object.entries(flags ?? {})) {
        if (hidden !== true)
          expect(page, `${id} --${name}`).to.match(new RegExp(`\\| \`(?:-\\w, )?--(?:\\[no-\\])?${name}[ \`]`, 'u'))
      }
    }
  })

  it('tells usage, options, default, environment, examples and aliases, and nothing that is hidden', () => {
    const page = renderReference({'file:send': Send, throw: Send})
    expect(page).to.include('## skylift file send\n\nSend with skylift.')
    expect(page).to.include('```sh\nskylift file send FILE...\n```')
    expect(page).to.include(
      '`-s, --speed WORD` | a\\|b; one of `slow`, `fast`; default `slow`; environment `SEND_SPEED` |',
    )
    expect(page).to.include('skylift file send a.bin').and.to.include('Also: `skylift throw`.')
    expect(page).not.to.include('secret').and.not.to.include('## skylift throw')
  })

  it('does not depend on the order of the commands', () => {
    expect(renderReference({b: Send, a: Send})).to.equal(renderReference({a: Send, b: Send}))
  })
})
