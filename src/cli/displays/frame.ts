import {formatSize} from '../../core/sizes.ts'
import {isSizeKnown, sentOf} from '../../upload/progress.ts'
import type {ActiveObject, Progress} from '../../upload/progress.ts'
import type {Rate} from '../../upload/rate.ts'
import {fit, shorten, widthOf} from './text-width.ts'
import * as words from './words.ts'

export type Colour = 'cyan' | 'dim' | 'yellow'

/** What a frame is drawn on. */
export interface View {
  readonly columns: number
  readonly rows: number
  readonly unicode: boolean
  readonly expected?: words.Expected | undefined
  readonly paint: (colour: Colour, text: string) => string
}

/** One line with a bar: an object, or the run. */
interface Row {
  readonly name: string
  readonly sent: number
  readonly size: number | undefined
  readonly rate: string
  readonly left: string
  readonly retry?: string
}

/** Columns of each cell; 0: there is no room for it. `share` is the percentage, or a size where there is none. */
interface Widths {
  readonly name: number
  readonly share: number
  readonly bar: number
  readonly sizes: number
  readonly rate: number
  readonly left: number
}

const MAX_OBJECTS = 4
const GAP = '  '

/** Draws the lines of one frame; none is wider than the terminal less `margin`, which a spinner takes. */
export function drawFrame(progress: Progress, rate: Rate, view: View, margin: number): string[] {
  // The last column stays free: a terminal that wraps there would tear the frame.
  const room = Math.max(1, view.columns - margin - 1)
  if (progress.started === 0) return [shorten('Starting', room, dots(view))]
  const rows = chooseRows(progress, rate, view, room)
  const widths = measureColumns(rows, room, view)
  return rows.flatMap(row => drawRow(row, widths, view, room))
}

function dots(view: View): string {
  return view.unicode ? '…' : '..'
}

function chooseRows(progress: Progress, rate: Rate, view: View, room: number): Row[] {
  const single = words.isSingle(progress, view.expected)
  const goal = words.goalOf(progress, view.expected)
  const left = words.describeLeft(rate, goal === undefined ? undefined : goal - progress.sent)
  const speed = words.describeRate(rate)
  const [only] = progress.active.values()
  if (single && only !== undefined) return [{...rowOf(only), ...(isFinishing(only) ? {} : {rate: speed, left})}]

  const wide = room >= 60
  const name = wide ? words.describeCounts(progress, view.expected) : words.countDone(progress, view.expected)
  const total = {name, sent: progress.sent, size: goal, rate: speed, left}
  // Each may take a second line for its retry, and ora needs one below.
  const most = Math.min(MAX_OBJECTS, Math.floor((view.rows - 2) / 2))
  const objects: Row[] = []
  for (const object of progress.active.values()) {
    if (objects.length >= most) break
    if (words.isNotable(object, progress, view.expected)) objects.push(rowOf(object))
  }
  return [total, ...objects]
}

function isFinishing(object: ActiveObject): boolean {
  return object.phase === 'finishing'
}

function rowOf(object: ActiveObject): Row {
  return {
    name: words.nameOf(object),
    sent: sentOf(object),
    size: isSizeKnown(object) ? object.size : undefined,
    rate: isFinishing(object) ? 'finishing' : '',
    left: '',
    ...(object.retrying === undefined ? {} : {retry: words.describeRetry(object.retrying)}),
  }
}

/** Shares out the columns: the name and its share always, then what tells most. */
function measureColumns(rows: readonly Row[], room: number, view: View): Widths {
  const widest = Math.max(...rows.map(row => widthOf(row.name)))
  let rest = room
  const grant = (width: number): number => {
    const granted = rest >= width + GAP.length
    if (granted) rest -= width + GAP.length
    return granted ? width : 0
  }
  let name = Math.min(widest, Math.max(8, Math.floor(room * 0.4)), room)
  rest -= name
  const share = grant(rows.every(row => row.size !== undefined) ? 5 : 8)
  const left = grant(16)
  let bar = grant(view.unicode ? 10 : 12)
  const rate = grant(10)
  const sizes = grant(20)
  // A bar of some length before a name in full.
  const wider = Math.max(0, Math.min(bar > 0 ? rest - 14 : rest, widest - name))
  name += wider
  if (bar > 0) bar = Math.min(40, bar + rest - wider)
  return {name, share, bar, sizes, rate, left}
}

function drawRow(row: Row, widths: Widths, view: View, room: number): string[] {
  const {paint} = view
  const cells = [fit(row.name, widths.name, dots(view))]
  if (row.size === undefined) {
    if (widths.share > 0) cells.push(paint('dim', formatSize(row.sent).padStart(widths.share)))
  } else {
    if (widths.bar > 0) cells.push(drawBar(row.sent, row.size, widths.bar, view))
    if (widths.share > 0) cells.push(`${words.percentOf(row.sent, row.size)} %`.padStart(widths.share))
    const sizes = `${formatSize(row.sent)} of ${formatSize(row.size)}`
    if (widths.sizes > 0) cells.push(paint('dim', sizes.padStart(widths.sizes)))
  }
  // Below a line that has these cells, blanks would be of no use.
  if (widths.rate > 0 && row.rate !== '') cells.push(paint('cyan', row.rate.padStart(widths.rate)))
  if (widths.left > 0 && row.left !== '') cells.push(row.left)
  const retry = row.retry === undefined ? [] : [paint('yellow', shorten(`${GAP}${row.retry}`, room, dots(view)))]
  const finishing =
    widths.rate === 0 && row.rate === 'finishing' ? [paint('dim', shorten(`${GAP}finishing`, room))] : []
  return [cells.join(GAP), ...retry, ...finishing]
}

function drawBar(sent: number, size: number, width: number, view: View): string {
  const share = size <= 0 ? 1 : Math.min(1, sent / size)
  if (!view.unicode) {
    const inner = width - 2
    const full = Math.floor(share * inner)
    return `[${'#'.repeat(full)}${'-'.repeat(inner - full)}]`
  }
  const halves = Math.floor(share * width * 2)
  const full = '━'.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? '╸' : '')
  return view.paint('cyan', full) + view.paint('dim', '─'.repeat(width - full.length))
}
