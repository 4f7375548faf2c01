import {readFile, writeFile} from 'node:fs/promises'
import {cpus, release} from 'node:os'
import {fileURLToPath} from 'node:url'
import {drawPlot} from './plot.ts'
import type {Group, Plot} from './plot.ts'
import {isBig, tabulate} from './report.ts'
import type {Row, Summary} from './report.ts'

/** What a command costs before it does anything, in milliseconds. */
export interface Start {
  readonly name: string
  readonly cpu: number
  readonly wall: number
}

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const PAGE = `${DOCS}performance.md`
const BEGIN = '<!-- measured: npm run bench -- --write -->'
const END = '<!-- end of what was measured -->'

/** Puts what was measured between the two marks of docs/performance.md, and its plots beside it. */
export async function writeDocument(summaries: readonly Summary[], starts: readonly Start[]): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (before < 0 || after < before) throw new Error(`${PAGE} has lost the marks between which the figures stand.`)
  const plots = makePlots(summaries, starts)
  for (const [name, plot] of plots) await writeFile(`${DOCS}performance-${name}.svg`, drawPlot(plot))
  const images = plots.map(([name, {title}]) => `![${title}](performance-${name}.svg)`)
  const tables = [...summaries.map(summary => formatMarkdown(tabulate(summary))), ...tabulateStarts(starts)]
  const measured = [describeMachine(), ...images, ...tables].join('\n\n')
  await writeFile(PAGE, `${page.slice(0, before)}${BEGIN}\n\n${measured}\n\n${page.slice(after)}`)
}

function describeMachine(): string {
  const day = new Date().toISOString().slice(0, 10)
  return `Measured on ${day}: ${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}.`
}

function makePlots(summaries: readonly Summary[], starts: readonly Start[]): readonly (readonly [string, Plot])[] {
  const big = summaries.filter(({scenario}) => isBig(scenario) && !scenario.name.includes('Swift'))
  const size = Math.max(...big.map(({scenario}) => scenario.bytes))
  // The larger the file, the less of it is start-up.
  const largest = big.filter(({scenario}) => scenario.bytes === size)
  const what = largest[0]?.scenario.name.replace(/ https?$/u, '') ?? ''
  const plots: [string, Plot][] = []
  if (largest.length > 0) {
    const plot = (title: string, unit: string, pick: (row: Row) => number): Plot => ({
      ...{title: `${title}, ${what}`, unit, ours: 'skylift'},
      series: largest.map(({scenario}) => (scenario.name.endsWith('https') ? 'https' : 'http')),
      groups: groupRows(largest, pick),
    })
    plots.push(
      ['cpu', plot('CPU of an upload', 'seconds a GiB, user and system', row => row.cpu)],
      ['wall', plot('Time of an upload', 'seconds', row => row.wall)],
      ['rss', plot('Memory of an upload', 'MiB, peak', row => row.rss)],
    )
  }
  if (starts.length > 0) {
    const groups = starts.map(({name, wall}) => ({name, values: [wall]}))
    const start = {title: 'Time of a start', unit: 'milliseconds', series: ['wall'], groups, ours: 'skylift'}
    plots.push(['start', start])
  }
  return plots
}

function groupRows(summaries: readonly Summary[], pick: (row: Row) => number): Group[] {
  const names = new Set(summaries.flatMap(({rows}) => rows.map(({peer}) => peer)))
  return [...names].map(name => ({
    name,
    values: summaries.map(({rows}) => {
      const row = rows.find(({peer}) => peer === name)
      return row === undefined ? Number.NaN : pick(row)
    }),
  }))
}

function tabulateStarts(starts: readonly Start[]): string[] {
  if (starts.length === 0) return []
  const rows = starts.map(({name, cpu, wall}) => [name, cpu.toFixed(0), wall.toFixed(0)])
  return [formatMarkdown([['start', 'CPU ms', 'wall ms'], ...rows])]
}

/** As prettier would write it. */
function formatMarkdown(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map(row => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [titles = [], ...rest] = rows
  return [line(titles), `| ${rule.join(' | ')} |`, ...rest.map(line)].join('\n')
}
