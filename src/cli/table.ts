import {printable} from '../core/printable.ts'
import {widthOf} from './displays/text-width.ts'

/** Writes rows in columns under a heading; the last column is not padded. */
export function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows].map(row => row.map(printable))
  const widths = heading.map((_, column) => Math.max(...all.map(row => widthOf(row[column] ?? ''))))
  return all
    .map(row =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}
