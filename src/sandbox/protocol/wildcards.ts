/** True when the text fits a pattern in which `*` stands for anything, and `?` for one character where it is allowed. */
export function fitsPattern(pattern: string, text: string, withQuestionMark = false): boolean {
  // Linear, unlike a regular expression: on a mismatch only the last star moves on.
  let [at, from, star, resume] = [0, 0, -1, 0]
  while (from < text.length) {
    const char = pattern[at]
    if (char === '*') {
      star = at++
      resume = from
    } else if (char !== undefined && (char === text[from] || (withQuestionMark && char === '?'))) {
      at++
      from++
    } else if (star >= 0) {
      at = star + 1
      from = ++resume
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
