import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {compareBytes} from '../../src/upload/compare-bytes.ts'
import {openFile} from '../../src/upload/source.ts'
import {failureOf} from '../http/support.ts'
import {answer, newCall, open, stopAnswering, target} from '../stores/s3/wire.ts'
import type {Reply, Seen} from '../stores/s3/wire.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

/** More than is asked for at once. */
const TEXT = Array.from({length: 1_400_000}, (_, index) => `line ${index}\n`).join('')
const OTHER = `${TEXT.slice(0, -5)}?${TEXT.slice(-4)}`

interface Habits {
  readonly hasRanges?: boolean
  readonly tellsSize?: boolean
}

function serve(text: string, {hasRanges = true, tellsSize = true}: Habits): Seen[] {
  const length = {'content-length': String(text.length)}
  return answer(({method, headers}): Reply => {
    if (method === 'HEAD') return [200, '', tellsSize ? length : {}]
    const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/u.exec(headers['range'] ?? '') ?? []
    if (!hasRanges || first === '') return [200, text, length]
    const part = text.slice(Number(first), Number(last) + 1)
    return [206, part, {'content-range': `bytes ${first}-${last}/${text.length}`}]
  })
}

describe('comparing every byte', () => {
  let path: string

  before(async () => {
    path = join(await makeTempFolder(), 'file')
    await writeFile(path, TEXT)
  })
  afterEach(stopAnswering)

  async function compare(text: string, habits: Habits): Promise<readonly (string | undefined)[]> {
    const seen = serve(text, habits)
    const source = await openFile(path)
    try {
      await compareBytes(source, target, open(), 2, newCall(), () => {})
    } finally {
      await source.close()
      stopAnswering()
    }
    return seen.filter(({method}) => method === 'GET').map(({headers}) => headers['range'])
  }

  it('reads in ranges where the store has them', async () => {
    expect(await compare(TEXT, {})).to.deep.equal([`bytes=0-${2 ** 24 - 1}`, `bytes=${2 ** 24}-${TEXT.length - 1}`])
  })

  for (const [what, habits] of [
    ['has no ranges', {hasRanges: false}],
    ['does not say how long it is', {tellsSize: false}],
    ['says neither', {hasRanges: false, tellsSize: false}],
  ] satisfies [string, Habits][]) {
    it(`reads in one stream where the store ${what}`, async () => {
      expect((await compare(TEXT, habits)).at(-1)).to.equal(undefined)
    })

    it(`tells what differs where the store ${what}`, async () => {
      const at = `byte ${TEXT.length - 5} is the first that differs`
      expect((await failureOf(compare(OTHER, habits))).message).to.include(at)
      const shorter = await failureOf(compare(TEXT.slice(0, -1), habits))
      expect(shorter.message).to.match(/it ends at byte \d+\.|it has \d+ bytes/u)
      const longer = await failureOf(compare(`${TEXT}x`, habits))
      expect(longer.message).to.match(/byte \d+ is the first that differs\.|it has \d+ bytes/u)
    })
  }
})
