/** V8's measure of how often a function must run before it is optimized; 67,584 by default. */
const BUDGET = 2_000_000

/**
 * Puts the optimizing compiler off on Node 20: a run over some thousand small files ends before that has paid. It took a
 * fifth of the CPU of 2,000 files of 16 KiB; what a longer run repeats is still optimized. Later versions know another
 * compiler between the two, and gain nothing.
 */
export async function compileLater(): Promise<void> {
  if (!process.versions.v8.startsWith('11.')) return
  const {setFlagsFromString} = await import('node:v8')
  setFlagsFromString(`--interrupt-budget=${BUDGET}`)
}
