/**
 * Control characters, and the marks that reorder a line (bidi), become visible escapes, so that neither a file name
 * nor a server's words can move the cursor or forge a line.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escapeChar)
}

// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

function escapeChar(char: string): string {
  const code = char.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}
