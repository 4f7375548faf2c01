import {spawn, spawnSync} from 'node:child_process'
import {Writable} from 'node:stream'
import {mock} from 'node:test'
import {stripVTControlCharacters} from 'node:util'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {chooseDisplay, createDisplay} from '../../src/cli/displays/display.ts'
import type {DisplayKind} from '../../src/cli/displays/display.ts'
import {drawFrame} from '../../src/cli/displays/frame.ts'
import type {View} from '../../src/cli/displays/frame.ts'
import {fit, shorten, widthOf} from '../../src/cli/displays/text-width.ts'
import type {UploadEvent} from '../../src/upload/events.ts'
import {advance, emptyProgress, movedOf} from '../../src/upload/progress.ts'
import type {Progress} from '../../src/upload/progress.ts'
import {emptyRate, measureRate} from '../../src/upload/rate.ts'

const MIB = 1024 * 1024
const EVIL = 'a\u001B[2Jb\n\u009B31m\u202Egpj.exe'
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/u

class Recorder extends Writable {
  text = ''
  readonly isTTY: boolean
  readonly columns: number | undefined

  constructor(isTTY = false, columns?: number) {
    super()
    this.isTTY = isTTY
    this.columns = columns
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.text += chunk.toString()
    callback()
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }
}

function start(id: number, source: string, size: number, parts: number, kept = 0): UploadEvent {
  return {event: 'start', id, source, target: `s3://c/${source}`, size, parts, partSize: 16 * MIB, kept}
}

function progress(id: number, part: number, sent: number): UploadEvent {
  return {event: 'progress', id, part, sent}
}

function stored(id: number, part: number, size: number): UploadEvent {
  return {event: 'stored', id, part, size}
}

function retry(id: number, part: number, message = 'The connection was reset.'): UploadEvent {
  return {event: 'retry', id, part, attempt: 2, wait: 1200, code: 'network', message}
}

function done(id: number, size: number, elapsed: number): UploadEvent {
  const target = {remote: 's3', container: 'c', key: 'k'}
  return {event: 'done', id, elapsed, object: {target, size, etag: 'x', verified: {by: 'crc32'}}}
}

function fold(events: readonly UploadEvent[]): Progress {
  let known = emptyProgress()
  for (const event of events) known = advance(known, event)
  return known
}

describe('chooseDisplay', () => {
  const terminal = new Recorder(true, 80)

  it('draws live for a person at a terminal, and writes lines for all else', () => {
    expect(chooseDisplay('auto', terminal, {TERM: 'xterm'})).to.equal('terminal')
    expect(chooseDisplay('auto', terminal, {TERM: 'xterm', CI: 'false'})).to.equal('terminal')
    expect(chooseDisplay('auto', terminal, {TERM: 'xterm', CI: 'true'})).to.equal('lines')
    expect(chooseDisplay('auto', terminal, {TERM: 'dumb'})).to.equal('lines')
    expect(chooseDisplay('auto', new Recorder(), {})).to.equal('lines')
  })

  it('does what was asked, but draws nothing where nothing can be drawn', () => {
    for (const kind of ['lines', 'json', 'none'] satisfies DisplayKind[]) {
      expect(chooseDisplay(kind, terminal, {})).to.equal(kind)
    }
    expect(chooseDisplay('terminal', terminal, {CI: 'true'})).to.equal('terminal')
    expect(chooseDisplay('terminal', new Recorder(true, 0), {})).to.equal('lines')
    expect(chooseDisplay('terminal', new Recorder(), {})).to.equal('lines')
  })
})

describe('the lines display', () => {
  beforeEach(() => mock.timers.enable({apis: ['setInterval', 'Date'], now: 1_000_000}))
  afterEach(() => mock.timers.reset())

  it('tells a file from its start to its end, every five seconds', async () => {
    const stderr = new Recorder()
    const stdout = new Recorder()
    const display = await createDisplay('lines', {stderr, stdout}, {env: {}})
    display.event(start(1, 'build.tar', 1024 * MIB, 64, 32 * MIB))
    for (let second = 1; second <= 6; second++) {
      display.event(stored(1, second * 2 + 1, 16 * MIB))
      display.event(progress(1, second * 2 + 2, 8 * MIB))
      display.event(stored(1, second * 2 + 2, 16 * MIB))
      mock.timers.tick(1000)
    }
    display.event(retry(1, 20))
    display.event({event: 'note', id: 1, message: 'The store does not echo checksums.'})
    display.event({event: 'finishing', id: 1})
    mock.timers.tick(4000)
    display.event(done(1, 1024 * MIB, 10_000))
    display.above('s3://c/build.tar')
    display.end()
    mock.timers.tick(20_000)
    expect(stderr.lines).to.deep.equal([
      'build.tar: 1 GiB in 64 parts to s3://c/build.tar, 32 MiB of it stored before',
      'build.tar: 192 MiB of 1 GiB (18 %), 32 MiB/s, 26 s left',
      'build.tar: part 20: the connection was reset; again in 1.2 s (attempt 2)',
      'build.tar: The store does not echo checksums.',
      'build.tar: 224 MiB of 1 GiB (21 %), finishing',
      'build.tar: done, 1 GiB in 10 s (99.2 MiB/s)',
    ])
    expect(stdout.text).to.equal('s3://c/build.tar\n')
  })

  it('tells many small files by a line for all', async () => {
    const stderr = new Recorder()
    const display = await createDisplay('lines', {stderr}, {env: {}, expected: {files: 1000, size: 1000 * MIB}})
    for (let id = 1; id <= 400; id++) {
      display.event(start(id, `${id}.txt`, MIB, 0))
      if (id % 80 === 0) mock.timers.tick(1000)
      if (id === 300) display.event({event: 'failed', id, code: 'forbidden', message: 'This key may not be written.'})
      else if (id <= 398) display.event(done(id, MIB, 5))
    }
    mock.timers.tick(5000)
    display.end()
    expect(stderr.lines).to.deep.equal([
      '300.txt: This key may not be written.',
      '397 of 1000 done, 1 failed, 2 under way: 397 MiB of 1000 MiB (39 %), 79.4 MiB/s, 8 s left',
      '397 of 1000 done, 1 failed, 2 under way: 397 MiB of 1000 MiB (39 %), 21.4 MiB/s, 28 s left',
    ])
  })

  it('tells at most one retry a second, and the same note once', async () => {
    const stderr = new Recorder()
    const display = await createDisplay('lines', {stderr}, {env: {}})
    display.event(start(1, 'a.bin', 160 * MIB, 10))
    for (let part = 1; part <= 10; part++) {
      display.event(retry(1, part))
      display.event({event: 'note', id: 1, message: 'Look.'})
      mock.timers.tick(250)
    }
    display.end()
    expect(stderr.lines.filter(line => line.includes('again in'))).to.have.length(3)
    expect(stderr.lines.filter(line => line.includes('Look.'))).to.have.length(1)
  })

  it('writes neither control characters nor colours', async () => {
    const stderr = new Recorder(true, 80)
    const display = await createDisplay('lines', {stderr}, {env: {FORCE_COLOR: '1'}})
    display.event(start(1, EVIL, 160 * MIB, 10))
    display.event(start(2, EVIL, -1, 10))
    display.event(retry(1, 1, EVIL))
    display.event({event: 'note', id: 1, message: EVIL})
    mock.timers.tick(5000)
    display.event({event: 'failed', id: 1, code: 'network', message: EVIL})
    display.event(done(2, 5, 5))
    display.end()
    expect(stderr.lines).to.have.length(7)
    expect(stderr.text).not.to.match(CONTROLS)
  })
})

describe('the JSON display', () => {
  async function record(events: readonly (readonly [number, UploadEvent])[]): Promise<string[]> {
    const stderr = new Recorder()
    let at = 0
    const display = await createDisplay('json', {stderr}, {env: {}, now: () => at})
    for (const [time, event] of events) {
      at = time
      display.event(event)
    }
    display.end()
    display.end()
    return stderr.lines
  }

  it('writes an event as it is, with version and time', async () => {
    const event = start(1, 'a.bin', 5, 0)
    const [line = ''] = await record([[86_400_000, event]])
    expect(JSON.parse(line)).to.deep.equal({v: 1, time: '1970-01-02T00:00:00.000Z', ...event})
  })

  it('thins progress out to ten a second and object, and keeps the last of each part', async () => {
    const events: [number, UploadEvent][] = [[0, start(1, 'a.bin', 2000, 2)]]
    for (let at = 1; at <= 1000; at++) {
      events.push([at, progress(1, 1, at)])
      if (at < 500) events.push([at, progress(1, 2, at)])
    }
    events.push([1001, stored(1, 1, 1000)], [1002, {event: 'finishing', id: 1}])
    const told = (await record(events)).map(line => JSON.parse(line) as UploadEvent)
    const moved = told.filter(event => event.event === 'progress')
    expect(moved.length).to.be.within(10, 12)
    expect(told.slice(-4).map(event => [event.event, 'sent' in event ? event.sent : undefined])).to.deep.equal([
      ['progress', 1000],
      ['stored', undefined],
      ['progress', 499],
      ['finishing', undefined],
    ])
  })

  it('leads a reader to the same end as the events themselves', async () => {
    const events = [
      start(1, 'a.bin', 300, 3),
      ...[10, 60, 100].map(sent => progress(1, 1, sent)),
      progress(1, 2, 70),
      retry(1, 2),
      stored(1, 1, 100),
      ...[20, 30].map(sent => progress(1, 2, sent)),
    ]
    const lines = await record(events.map((event, index) => [index, event]))
    const told = fold(lines.map(line => JSON.parse(line) as UploadEvent))
    expect(told.active.get(1)).to.deep.equal(fold(events).active.get(1))
  })

  it('keeps to one line of harmless characters, from which every name can be read back', async () => {
    for (const name of [EVIL, 'x\u2028y\u2029', '\uD800 alone', '"\\', '写真 🎉']) {
      const [line = '', ...more] = await record([[0, start(1, name, 5, 0)]])
      expect(more).to.deep.equal([])
      expect(line).not.to.match(CONTROLS)
      expect((JSON.parse(line) as {source: string}).source).to.equal(name)
    }
  })
})

describe('text on a terminal', () => {
  it('is as wide as what stands there', () => {
    const widths: [string, number][] = [
      ['', 0],
      ['build.tar', 9],
      ['résumé', 6],
      ['re\u0301sume\u0301', 6],
      ['写真', 4],
      ['ﾊﾝｶｸ', 4],
      ['サーバー・データ', 16],
      ['ＡＢ', 4],
      ['한국어', 6],
      ['🎉', 2],
      ['👨‍👩‍👧', 2],
      ['🇩🇪', 2],
      ['❤️', 2],
      ['━╸─…', 4],
    ]
    for (const [text, width] of widths) expect(widthOf(text), text).to.equal(width)
  })

  it('is shortened in the middle', () => {
    expect(shorten('build-of-the-whole-thing.tar', 15)).to.equal('build-o…ing.tar')
    expect(shorten('short', 5)).to.equal('short')
    expect(shorten('写真アルバム.zip', 10)).to.equal('写真….zip')
    expect(fit('写真アルバム.zip', 10)).to.equal('写真….zip ')
  })

  it('never gets wider than asked, and `fit` is exact', () => {
    fc.assert(
      fc.property(fc.string({unit: 'grapheme', maxLength: 30}), fc.nat({max: 30}), (text, width) => {
        expect(widthOf(shorten(text, width))).to.be.at.most(width)
        expect(widthOf(fit(text, width))).to.equal(width)
      }),
    )
  })
})

const VIEW: View = {columns: 100, rows: 30, unicode: true, paint: (_colour, text) => text}

function draw(events: readonly UploadEvent[], view: Partial<View> = {}): string[] {
  const known = fold(events)
  const rate = measureRate(emptyRate(0), 2000, movedOf(known))
  return drawFrame(known, rate, {...VIEW, ...view}, 3)
}

const HALF_WAY = [start(1, 'build.tar', 64 * MIB, 4), stored(1, 1, 16 * MIB), progress(1, 2, 16 * MIB)]
const TWO = [...HALF_WAY, start(2, '写真.zip', 200 * MIB, 13), progress(2, 1, 8 * MIB), start(3, 'tiny', 5, 0)]

describe('drawFrame', () => {
  it('gives a single file its name, bar, share, sizes, rate and time', () => {
    expect(draw(HALF_WAY)).to.deep.equal([
      'build.tar  ━━━━━━━━━━━━━─────────────   50 %      32 MiB of 64 MiB    16 MiB/s  2 s left',
    ])
    expect(draw(HALF_WAY, {columns: 40})).to.deep.equal(['build.tar   50 %  2 s left'])
    expect(draw(HALF_WAY, {columns: 60, unicode: false})).to.deep.equal([
      'build.tar  [#########---------]   50 %  2 s left',
    ])
  })

  it('tells a retry and the finishing', () => {
    expect(draw([...HALF_WAY, retry(1, 2)])[1]).to.equal(
      '  part 2: the connection was reset; again in 1.2 s (attempt 2)',
    )
    expect(draw([...HALF_WAY, {event: 'finishing', id: 1}])[0]).to.match(/ finishing$/u)
    expect(draw([...HALF_WAY, {event: 'finishing', id: 1}], {columns: 30})[1]).to.equal('  finishing')
  })

  it('gives several files a line for all and one for each that is not small', () => {
    expect(draw(TWO, {expected: {files: 9, size: 400 * MIB}})).to.deep.equal([
      '0 of 9 done, 3 under way  ━──────────   10 %     40 MiB of 400 MiB    20 MiB/s  18 s left',
      'build.tar                 ━━━━━╸─────   50 %      32 MiB of 64 MiB',
      '写真.zip                  ───────────    4 %      8 MiB of 200 MiB',
    ])
  })

  it('shows no share and no time of a whole that it does not know', () => {
    const [total] = draw(TWO)
    expect(total).to.match(/^0 done, 3 under way +40 MiB +20 MiB\/s$/u)
    expect(draw([start(1, '-', -1, 10), stored(1, 1, 16 * MIB)])).to.deep.equal(['stdin    16 MiB     8 MiB/s'])
  })

  it('shows four files at most, and fewer on a low screen', () => {
    const events = Array.from({length: 50}, (_, index) => start(index + 1, `f${index}`, 99 * MIB, 7))
    expect(draw(events)).to.have.length(5)
    expect(draw(events, {rows: 6})).to.have.length(3)
    expect(draw(events, {rows: 1})).to.have.length(1)
  })

  it('fits every width, and lets no control character through', () => {
    const name = fc.oneof(fc.constant(EVIL), fc.string({unit: 'grapheme', maxLength: 80}), fc.string({unit: 'binary'}))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, fc.integer({min: -1, max: 2 ** 50}), fc.nat({max: 2 ** 50}))),
        fc.record({
          columns: fc.integer({min: 1, max: 220}),
          rows: fc.integer({min: 1, max: 50}),
          unicode: fc.boolean(),
        }),
        fc.option(fc.record({files: fc.nat({max: 1e6}), size: fc.nat({max: 2 ** 52})}), {nil: undefined}),
        (objects, view, expected) => {
          const events = objects.flatMap(([name, size, sent], index) => [
            start(index + 1, name, size, 10),
            progress(index + 1, 1, sent),
            ...(index % 3 === 0 ? [retry(index + 1, 1, name)] : []),
            ...(index % 4 === 1 ? [{event: 'finishing', id: index + 1} as const] : []),
          ])
          const lines = draw(events, {...view, expected})
          expect(lines.length).to.be.within(1, Math.max(2, view.rows))
          for (const line of lines) {
            expect(widthOf(line), line).to.be.at.most(Math.max(1, view.columns - 4))
            expect(line).not.to.match(CONTROLS)
          }
        },
      ),
    )
  })
})

const PROGRAM = `
import {spawnSync} from 'node:child_process'
import {createDisplay} from './src/cli/displays/display.ts'
const display = await createDisplay('auto', process, {env: {LANG: 'C.UTF-8', TERM: 'xterm'}})
const begun = performance.now()
const sleep = time => new Promise(resolve => setTimeout(resolve, time))
const MIB = 2 ** 20
for (const id of [1, 2]) display.event({event: 'start', id, source: 'f' + id, target: 's3://c/f', size: 64 * MIB, parts: 4, partSize: 16 * MIB, kept: 0})
for (let step = 1; step <= 300; step++) {
  display.event({event: 'progress', id: 1, part: 1, sent: step * 32768})
  if (step === 50 && process.env.LOSE_WIDTH) spawnSync('stty', ['cols', '0'], {stdio: 'inherit'})
  if (step === 150) display.above('RESULT')
  if (step === 200) display.event({event: 'note', id: 1, message: 'NOTE.'})
  await sleep(2)
}
display.end()
console.log('END')
console.log('TOOK ' + Math.round(performance.now() - begun) + ' ms')
`

/** Runs the program for at most a minute on a real terminal of util-linux's \`script\`; returns all that it wrote there. */
function runOnTerminal(size: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const program = `stty ${size}; timeout --foreground -s KILL 60 node --import tsx --input-type=module -e "$PROGRAM"`
  const clean = {
    ...process.env,
    FORCE_COLOR: undefined,
    NO_COLOR: undefined,
    CI: undefined,
    TERM: 'xterm',
    ...env,
    PROGRAM,
  }
  const child = spawn('script', ['-qec', program, '/dev/null'], {env: clean, stdio: ['ignore', 'pipe', 'inherit']})
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    child.on('error', reject).on('close', () => resolve(text))
  })
}

describe('the terminal display on a real terminal', function () {
  before(function () {
    if (spawnSync('script', ['--version']).status !== 0) this.skip()
  })

  it('draws at its own pace, lets lines through, and leaves nothing of itself', async () => {
    const text = await runOnTerminal('cols 80 rows 24')
    const frames = text.split('under way').length - 1
    const took = Number(/TOOK (?<ms>\d+) ms/u.exec(text)?.groups?.['ms'])
    // One every 80 ms, however many events come; and one for each line that is let through, and at both ends.
    expect(frames).to.be.within(3, took / 80 + 8)
    expect(text).to.include('━').and.include('\u001B[36m')
    for (const line of ['RESULT\r\n', 'f1: NOTE.\r\n', 'END\r\n']) expect(text).to.include(line)
    expect(text.lastIndexOf('\u001B[?25h')).to.be.above(text.lastIndexOf('\u001B[?25l'))
    const last = text.slice(text.lastIndexOf('under way'))
    // One way up for each line of the drawing but the first, and each is wiped.
    expect(last.split('\u001B[1A')).to.have.length(3)
    expect(stripVTControlCharacters(last.slice(last.lastIndexOf('\u001B[1A'))).trim()).to.equal(
      `END\r\nTOOK ${took} ms`,
    )
  })

  it('has no colour under NO_COLOR', async () => {
    const text = await runOnTerminal('cols 80 rows 24', {NO_COLOR: '1'})
    expect(text).to.include('under way')
    for (const colour of ['[36m', '[2m', '[33m']) expect(text).not.to.include(`\u001B${colour}`)
  })

  it('writes lines where the terminal has no width', async () => {
    const text = await runOnTerminal('cols 0 rows 0')
    expect(text).to.include('f1: 64 MiB in 4 parts').and.not.include('\u001B')
  })

  it('stops drawing when the terminal loses its width', async () => {
    const text = await runOnTerminal('cols 80 rows 24', {LOSE_WIDTH: '1'})
    expect(text).to.include('under way')
    expect(text.length).to.be.below(100_000)
    expect(text).to.include('RESULT').and.include('END')
  })
})
