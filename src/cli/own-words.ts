/** Returns the words of a command line that may be flags of ours: those behind `--` are names, or another program's. */
export function ownWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--')
  return end < 0 ? argv : argv.slice(0, end)
}
