/** V8's measure of how often a function must run before it is optimized; 67,584 by default. */
const BUDGET = 2_000_000
/** The newest Node whose V8 was seen to know the flag: another would complain on stderr. */
const KNOWN = 24

/**
 * Puts the optimizing compiler off: a run over some thousand small files ends before that has paid. It took a fifth of the
 * CPU of 2,000 files of 16 KiB; what a longer run repeats is still optimized.
 */
export async function compileLater(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) > KNOWN) return
  const {setFlagsFromString} = await import('node:v8')
  setFlagsFromString(`--interrupt-budget=${BUDGET}`)
}
