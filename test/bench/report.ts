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

const GIB = 1024 ** 3
const MIB = 1024 ** 2

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** The medians of one scenario, a line a peer; ratios are to curl in the same rounds. */
export function formatTable(scenario: Scenario, runs: readonly Run[]): string {
  const own = runs.filter(run => run.scenario === scenario.name)
  const peers = [...new Set(own.map(run => run.peer))]
  const take = (peer: string, pick: (run: Run) => number): number =>
    median(own.filter(run => run.peer === peer).map(pick))
  const isBig = scenario.files === 1
  const cpuUnit = isBig ? scenario.bytes / GIB : 1
  const ratio = (value: number, floor: number): string => (Number.isNaN(floor) ? '-' : (value / floor).toFixed(2))
  const floor = {cpu: take('curl', run => run.cpu), wall: take('curl', run => run.wall)}
  const rows = peers.map(peer => {
    const [cpu, wall] = [take(peer, run => run.cpu), take(peer, run => run.wall)]
    return [
      peer,
      (cpu / cpuUnit).toFixed(2),
      ratio(cpu, floor.cpu),
      wall.toFixed(2),
      ratio(wall, floor.wall),
      (take(peer, run => run.rss) / MIB).toFixed(0),
      String(take(peer, run => run.stats.requests)),
      String(take(peer, run => run.stats.conns)),
      String(own.filter(run => run.peer === peer).length),
    ]
  })
  const cpuTitle = isBig ? 'CPU s/GiB' : 'CPU s'
  const titles = [scenario.name, cpuTitle, '× curl', 'wall s', '× curl', 'RSS MiB', 'requests', 'conns', 'runs']
  return formatRows([titles, ...rows])
}

function formatRows(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)))
  const lines = rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
  return lines.join('\n')
}
