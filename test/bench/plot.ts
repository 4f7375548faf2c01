/** One bar for each series, in the order of the series; NaN where there is none. */
export interface Group {
  readonly name: string
  readonly values: readonly number[]
}

export interface Plot {
  readonly title: string
  readonly unit: string
  readonly series: readonly string[]
  readonly groups: readonly Group[]
  /** The groups that begin with this word are drawn in full colour. */
  readonly ours: string
}

const WIDTH = 720
const LABELS = 150
const VALUES = 70
const BAR = 14
const GAP = 10
const TOP = 62

/** Full colours for ours, pale ones for the others; both are told apart on white and on black. */
const COLOURS = [
  {ours: '#1f77b4', others: '#9ec5e2'},
  {ours: '#d9730d', others: '#f2c69b'},
]

/** Draws horizontal bars, best first, as a self-contained SVG. */
export function drawPlot({title, unit, series, groups, ours}: Plot): string {
  const known = groups.filter(({values}) => values.some(value => !Number.isNaN(value)))
  const sorted = known.toSorted((a, b) => smallest(a) - smallest(b))
  const largest = Math.max(...sorted.flatMap(({values}) => values.filter(value => !Number.isNaN(value))))
  const scale = (WIDTH - LABELS - VALUES) / largest
  const height = TOP + sorted.length * (series.length * BAR + GAP) + GAP

  const legend = series.length > 1 ? series.map((name, index) => drawKey(name, index)) : []
  const bars = sorted.map(({name, values}, row) => {
    const top = TOP + row * (series.length * BAR + GAP)
    const isOurs = name.split(' ')[0] === ours
    const weight = isOurs ? ' font-weight="bold"' : ''
    const label = text(LABELS - 8, top + (series.length * BAR) / 2 + 4, name, `text-anchor="end"${weight}`)
    return [label, ...values.map((value, index) => drawBar(value, top + index * BAR, scale, {index, isOurs}))].join(
      '\n',
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}"
  font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#ffffff"/>
${text(LABELS, 24, title, 'font-size="16" font-weight="bold"')}
${text(LABELS, 42, `${unit}; less is better`, 'fill="#555555"')}
${[...legend, ...bars].join('\n')}
</svg>
`
}

function smallest({values}: Group): number {
  return Math.min(...values.filter(value => !Number.isNaN(value)))
}

function drawKey(name: string, index: number): string {
  const x = WIDTH - VALUES - 120 + index * 70
  const colour = COLOURS[index]?.ours ?? '#777777'
  return `<rect x="${x}" y="33" width="10" height="10" fill="${colour}"/>\n${text(x + 14, 42, name)}`
}

function drawBar(
  value: number,
  top: number,
  scale: number,
  {index, isOurs}: {readonly index: number; readonly isOurs: boolean},
): string {
  if (Number.isNaN(value)) return ''
  const colour = COLOURS[index]?.[isOurs ? 'ours' : 'others'] ?? '#777777'
  const width = Math.max(1, value * scale).toFixed(1)
  const bar = `<rect x="${LABELS}" y="${top}" width="${width}" height="${BAR - 2}" fill="${colour}"/>`
  const words = value >= 100 ? value.toFixed(0) : value.toFixed(2)
  return `${bar}\n${text(LABELS + Number(width) + 6, top + BAR - 4, words, 'font-size="11"')}`
}

function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${x}" y="${y}" ${more}>${escape(words)}</text>`
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
