import {expect} from 'chai'
import {makeFile, partEtags} from './files.ts'
import {drawPlot} from './plot.ts'
import type {Plot} from './plot.ts'
import {createHash} from 'node:crypto'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeTempFolder} from '../support/temp-folder.ts'

describe('what the bench writes', () => {
  const plot: Plot = {
    title: 'CPU & more',
    unit: 'seconds',
    series: ['http', 'https'],
    ours: 'skylift',
    groups: [
      {name: 'slow', values: [2, 4]},
      {name: 'skylift', values: [0.5, 1]},
      {name: 'half', values: [1, Number.NaN]},
      {name: 'absent', values: [Number.NaN, Number.NaN]},
    ],
  }

  it('draws a bar for each figure, as long as it says, best first', () => {
    const svg = drawPlot(plot)
    const names = [...svg.matchAll(/text-anchor="end"[^>]*>([^<]+)</g)].map(match => match[1])
    expect(names).to.deep.equal(['skylift', 'half', 'slow'])
    const bars = [...svg.matchAll(/<rect x="150"[^>]* width="([\d.]+)"/g)].map(match => Number(match[1]))
    expect(bars).to.have.length(5)
    const [longest = 0] = bars.toSorted((a, b) => b - a)
    expect(bars.map(width => Number(((width / longest) * 4).toFixed(2)))).to.deep.equal([0.5, 1, 1, 2, 4])
    expect(svg)
      .to.contain('CPU &amp; more')
      .and.to.not.match(/CPU & /)
  })

  it('knows the ETag of every part of a file before there is one', async () => {
    const size = 70 * 1024 * 1024 + 5
    const path = join(await makeTempFolder(), 'file')
    await makeFile(path, size)
    const bytes = await readFile(path)
    const told = new Map(partEtags([size]).map(word => word.split('=') as [string, string]))
    for (const partSize of [16 * 1024 * 1024, 64 * 1024 * 1024]) {
      for (let offset = 0; offset < size; offset += partSize) {
        const part = bytes.subarray(offset, offset + partSize)
        expect(told.get(String(part.length))).to.equal(createHash('md5').update(part).digest('hex'))
      }
    }
  })
})
