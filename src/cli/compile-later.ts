import {loadSender} from '../http/agents.ts'

/** V8's measure of how often a function must run before it is optimized, and what it is by default. */
const BUDGET = {later: 500_000, usual: 67_584}
/** A run that takes longer than this, in ms, goes on for long enough. */
const LONG = 2000

/**
 * Puts the optimizing compiler off on Node 20: a run over some thousand small files ends before that has paid. It takes a
 * third of the CPU of 2,000 files of 16 KiB, and saves as much of 20,000. Later versions know another compiler between the
 * two, and gain nothing.
 *
 * First it loads what the connection to the store will load: V8 takes no code that was compiled under other flags, and
 * both Node and the package bring theirs along compiled.
 */
export async function compileLater(endpoint: string): Promise<void> {
  if (!process.versions.v8.startsWith('11.')) return
  const [{setFlagsFromString}] = await Promise.all([import('node:v8'), loadSender(endpoint)])
  const setBudget = (budget: number): void => setFlagsFromString(`--interrupt-budget=${budget}`)
  setBudget(BUDGET.later)
  setTimeout(() => setBudget(BUDGET.usual), LONG).unref()
}
