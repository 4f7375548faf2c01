const SEGMENTER = new Intl.Segmenter()
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]+$/u
// https://www.unicode.org/reports/tr11/ (W and F), in blocks: a reserved place more or less does not matter here.
const WIDE =
  /[\p{Emoji_Presentation}\uFE0F\u1100-\u115F\u2329\u232A\u2630-\u2637\u268A-\u268F\u2E80-\u303E\u3041-\u3247\u3250-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1D300}-\u{1D376}\u{1F200}-\u{1F265}\u{20000}-\u{3FFFD}]/u
const PLAIN = /^[\u0020-\u007E]*$/u

function graphemeWidth(grapheme: string): number {
  if (ZERO.test(grapheme)) return 0
  return WIDE.test(grapheme) ? 2 : 1
}

/** Returns how many columns a terminal gives the text, which holds no control characters. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const {segment} of SEGMENTER.segment(text)) width += graphemeWidth(segment)
  return width
}

/** Leaves out the middle of a text that is wider than `width`: both ends of a file name tell something. */
export function shorten(text: string, width: number, ellipsis = '…'): string {
  if (widthOf(text) <= width) return text
  const room = width - widthOf(ellipsis)
  if (room < 2) return take(text, Math.max(0, width))
  const head = take(text, Math.ceil(room / 2))
  return head + ellipsis + takeEnd(text, room - widthOf(head))
}

/** Pads with blanks, or shortens, to exactly `width` columns. */
export function fit(text: string, width: number, ellipsis = '…'): string {
  const short = shorten(text, width, ellipsis)
  return short + ' '.repeat(Math.max(0, width - widthOf(short)))
}

/** Returns as much of the beginning as `width` columns hold. */
export function take(text: string, width: number): string {
  let taken = ''
  let left = width
  for (const {segment} of SEGMENTER.segment(text)) {
    left -= graphemeWidth(segment)
    if (left < 0) break
    taken += segment
  }
  return taken
}

function takeEnd(text: string, width: number): string {
  let taken = ''
  let left = width
  for (const {segment} of [...SEGMENTER.segment(text)].toReversed()) {
    left -= graphemeWidth(segment)
    if (left < 0) break
    taken = segment + taken
  }
  return taken
}
