import {expect} from 'chai'
import {distanceOf, findNearest} from '../../src/cli/nearest.ts'
import {COMMANDS} from '../../src/commands/index.ts'
import {callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'

describe('words that nobody knows', () => {
  let home: Home
  before(async () => {
    home = await makeHome()
  })

  const MEANT: readonly (readonly [argv: string, message: string, suggestion: string])[] = [
    ['uplod f s3://c', 'There is no command "uplod".', 'Did you mean "skylift upload"? See all with: skylift help'],
    ['cors st', 'There is no command "cors st".', 'Did you mean "skylift cors set"? See all with: skylift cors --help'],
    ['corz set s3://c', 'There is no command "corz".', 'Did you mean "skylift cors set"? See all with: skylift help'],
    ['remtoe', 'There is no command "remtoe".', 'Did you mean "skylift remote"? See all with: skylift help'],
    ['help uplod', 'There is no command "uplod".', 'Did you mean "skylift upload"? See all with: skylift help'],
    ['uplod --help', 'There is no command "uplod".', 'Did you mean "skylift upload"? See all with: skylift help'],
    ['frobnicate', 'There is no command "frobnicate".', 'See all with: skylift help'],
    ['remote frobnicate', 'There is no command "remote frobnicate".', 'See all with: skylift remote --help'],
  ]
  for (const [argv, message, suggestion] of MEANT) {
    it(`finds what was meant by: ${argv}`, async () => {
      const ending = await runSkylift([...argv.split(' ')], home)
      expect(ending).to.deep.include({status: 2, stdout: '', stderr: `${message}\n  ${suggestion}\n`})
    })
  }

  it('says so as JSON', async () => {
    const {failures} = readJson<{failures: unknown[]}>(await runSkylift(['uplod', '--json'], home))
    expect(failures).to.deep.equal([
      {
        code: 'usage',
        message: 'There is no command "uplod".',
        suggestion: 'Did you mean "skylift upload"? See all with: skylift help',
      },
    ])
  })

  it('finds the flag that was meant, and shows no value', async () => {
    const {status, stderr} = await callSkylift(['link', 's3://c/k', '--filenam=geheim', '--expire', '1h'], home)
    expect(stderr).to.equal(
      'Nonexistent flags: --filenam, --expire.\n  Did you mean --filename and --expires? See all with --help.\n',
    )
    expect(status).to.equal(2)
    expect((await callSkylift(['link', 's3://c/k', '--frobnicate'], home)).stderr).to.equal(
      'Nonexistent flag: --frobnicate.\n  See --help.\n',
    )
  })

  it('counts letters that are changed, added, left away or swapped', () => {
    const rows: [string, string, number][] = [
      ['', '', 0],
      ['set', 'set', 0],
      ['st', 'set', 1],
      ['sett', 'set', 1],
      ['sat', 'set', 1],
      ['ste', 'set', 1],
      ['lits', 'list', 1],
      ['upload', 'verify', 6],
      ['', 'abc', 3],
    ]
    for (const [a, b, distance] of rows) {
      expect(distanceOf(a, b), `${a} ${b}`).to.equal(distance)
      expect(distanceOf(b, a), `${b} ${a}`).to.equal(distance)
    }
    expect(findNearest('xyz', ['upload', 'link'])).to.equal(undefined)
    expect(findNearest('lnik', ['upload', 'link'])).to.equal('link')
  })
})

describe('what every command has', () => {
  it('is an example that begins with the name of the program, but for those that have no words of their own', () => {
    for (const [id, {examples, summary}] of Object.entries(COMMANDS)) {
      if (id === 'help') continue
      expect(summary, id).to.match(/\.$/u)
      expect(examples?.length ?? 0, id).to.be.above(0)
      for (const example of examples ?? []) {
        const words = `<%= config.bin %> ${id.replaceAll(':', ' ')}`
        expect(typeof example === 'string' ? example : example.command, id).to.satisfy(
          (text: string) => text.includes(words) || text.includes('<%= config.bin %> <%= command.id %>'),
          `${JSON.stringify(example)} is no example of ${id}`,
        )
      }
    }
  })

  it('is a version, told in every way', async () => {
    const home = await makeHome()
    for (const word of ['--version', '-V', 'version']) {
      const {status, stdout} = await runSkylift([word], home)
      expect({status, stdout}, word).to.deep.include({status: 0})
      expect(stdout).to.match(/^skylift\/\d+\.\d+\.\d+ /u)
    }
  })
})
