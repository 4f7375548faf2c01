import type {SinkStats} from './sink.ts'
import type {Usage} from './measure.ts'

export interface Scenario {
  readonly name: string
  readonly files: number
  readonly bytes: number
}

/** One run that the sink confirmed. */
export interface Run extends Usage {
  readonly scenario: string
  readonly peer: string
  readonly round: number
  readonly stats: SinkStats
}

/** The medians of one peer's runs; CPU is for a GiB where one file was sent, for all of them where many were. */
export interface Row {
  readonly peer: string
  readonly cpu: number
  readonly wall: number
  /** MiB. */
  readonly rss: number
  readonly requests: number
  readonly connections: number
  readonly runs: number
}

export interface Summary {
  readonly scenario: Scenario
  readonly rows: readonly Row[]
}

const GIB = 1024 ** 3
const MIB = 1024 ** 2

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

export function summarize(scenario: Scenario, runs: readonly Run[]): Summary {
  const own = runs.filter(run => run.scenario === scenario.name)
  const unit = isBig(scenario) ? scenario.bytes / GIB : 1
  const rows = [...new Set(own.map(run => run.peer))].map(peer => {
    const all = own.filter(run => run.peer === peer)
    const take = (pick: (run: Run) => number): number => median(all.map(pick))
    return {
      peer,
      cpu: take(run => run.cpu) / unit,
      wall: take(run => run.wall),
      rss: take(run => run.rss) / MIB,
      requests: take(run => run.stats.requests),
      connections: take(run => run.stats.conns),
      runs: all.length,
    }
  })
  return {scenario, rows}
}

export function isBig({files}: Scenario): boolean {
  return files === 1
}

/** The lines of a table, the first with the titles; ratios are to curl in the same rounds. */
export function tabulate({scenario, rows}: Summary): string[][] {
  const floor = rows.find(({peer}) => peer === 'curl')
  const ratio = (value: number, to: number | undefined): string => (to === undefined ? '-' : (value / to).toFixed(2))
  const titles = isBig(scenario) ? 'CPU s/GiB' : 'CPU s'
  return [
    [scenario.name, titles, '× curl', 'wall s', '× curl', 'RSS MiB', 'requests', 'conns', 'runs'],
    ...rows.map(({peer, cpu, wall, rss, requests, connections, runs}) => [
      ...[peer, cpu.toFixed(2), ratio(cpu, floor?.cpu), wall.toFixed(2), ratio(wall, floor?.wall)],
      ...[rss.toFixed(0), String(requests), String(connections), String(runs)],
    ]),
  ]
}

export function formatTable(summary: Summary): string {
  const rows = tabulate(summary)
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)))
  const lines = rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
  return lines.join('\n')
}
