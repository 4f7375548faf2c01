const PLAIN = /^[\w./:@%+,=-]+$/u
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

/**
 * Quotes one word so that a shell (bash, zsh, ksh) reads exactly it. What could move the cursor of a terminal stands
 * there as an escape.
 */
export function quoteWord(word: string): string {
  if (PLAIN.test(word)) return word
  if (word.search(CONTROL) < 0) return `'${word.replaceAll("'", String.raw`'\''`)}'`
  const escaped = word
    .replaceAll(/[\\']/gu, String.raw`\$&`)
    .replaceAll(CONTROL, char => [...Buffer.from(char)].map(byte => `\\${byte.toString(8).padStart(3, '0')}`).join(''))
  return `$'${escaped}'`
}

export function quoteCommand(words: readonly string[]): string {
  return words.map(quoteWord).join(' ')
}
