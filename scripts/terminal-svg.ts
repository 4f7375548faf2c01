/** One run of characters that look the same, at its column. */
interface Run {
  readonly column: number
  readonly text: string
  readonly look: string
}

const CELL = {width: 8.2, height: 20}
const MARGIN = 22
const BAR = 40
// oxlint-disable-next-line no-control-regex
const SGR = /\u001B\[([\d;]*)m/u
const LOOKS: Readonly<Record<string, string>> = {36: 'cyan', 33: 'yellow', 2: 'dim'}
/** Drawn as lines, since fonts leave gaps between them: thickness, and length in cells. */
const RULES: Readonly<Record<string, readonly [thickness: number, length: number]>> = {
  '━': [4, 1],
  '╸': [4, 0.5],
  '─': [1.5, 1],
}
const STYLE = `
    text { font: 13.6px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dce2; white-space: pre }
    .cyan { fill: #56c8d8 } .yellow { fill: #e5c07b } .dim { fill: #7d8896 }
    rect.cyan { fill: #56c8d8 } rect.dim { fill: #414b59 }`

/** Draws what a terminal shows, frames one below the other, as SVG. Every character is taken to be one column wide. */
export function drawTerminal(frames: readonly string[], columns: number, title: string): string {
  const width = Math.round(columns * CELL.width + 2 * MARGIN)
  const drawn: string[] = []
  let y = BAR + 14
  for (const [index, frame] of frames.entries()) {
    if (index > 0) {
      drawn.push(`<path d="M${MARGIN} ${y + 8}H${width - MARGIN}" stroke="#343c48" stroke-dasharray="2 5"/>`)
      y += 16
    }
    for (const line of frame.split('\n')) {
      y += CELL.height
      drawn.push(...readRuns(line).flatMap(run => drawRun(run, y)))
    }
    y += 10
  }
  const height = y + 12
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
  <title>${escapeXml(title)}</title>
  <style>${STYLE}
  </style>
  <rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="10" fill="#1b2028" stroke="#343c48"/>
  <path d="M0.5 ${BAR}H${width - 0.5}" stroke="#2a313b"/>
  ${['#e0665e', '#dfae4f', '#63b567'].map((fill, index) => `<circle cx="${MARGIN + 2 + index * 20}" cy="20" r="6" fill="${fill}"/>`).join('')}
  ${drawn.join('\n  ')}
</svg>
`
}

/** Reads the escape sequences of one line: colours, bold and faint, as `tmux capture-pane -e` writes them. */
function readRuns(line: string): Run[] {
  const runs: Run[] = []
  let [look, column] = ['', 0]
  for (const [index, piece] of line.split(SGR).entries()) {
    if (index % 2 === 1) {
      // Each sequence that sets a look comes with all it needs; any other one ends it.
      look =
        piece
          .split(';')
          .map(code => LOOKS[code] ?? '')
          .findLast(Boolean) ?? (piece === '39' && look === 'dim' ? look : '')
      continue
    }
    for (const text of piece.match(/[━╸]+|─+|[^━╸─]+/gu) ?? []) {
      runs.push({column, text, look})
      column += text.length
    }
  }
  return runs
}

function drawRun({column, text, look}: Run, y: number): string[] {
  const rules = text.split('').map(char => RULES[char])
  const [first] = rules
  const x = MARGIN + column * CELL.width
  if (first !== undefined) {
    const length = rules.reduce((sum, rule) => sum + (rule?.[1] ?? 0), 0) * CELL.width
    return [rect(x, y - 5 - first[0] / 2, length, first[0], look)]
  }
  // Every word is placed by itself: a font of another width moves no column.
  return [...text.matchAll(/\S+(?: \S+)*/gu)].map(({0: words, index}) => {
    const at = MARGIN + (column + index) * CELL.width
    const name = look === '' ? '' : ` class="${look}"`
    const span = (words.length * CELL.width).toFixed(1)
    return `<text x="${at.toFixed(1)}" y="${y}" textLength="${span}" lengthAdjust="spacingAndGlyphs"${name}>${escapeXml(words)}</text>`
  })
}

function rect(x: number, y: number, width: number, height: number, look: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}" rx="${height / 2}" class="${look}"/>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
