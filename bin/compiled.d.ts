import type {Script} from 'node:vm'

/** Whose code an archive holds: that of one V8, as it was built, on one kind of machine. */
export const ENGINE: string

/** The scripts of a build, by their path in `dist`. */
export interface Compiled {
  readonly names: readonly string[]
  /** Compiles one, which is quick where V8 takes what was brought along. */
  compile(name: string): Script
  /** Returns what one exports, run once; throws as it does. */
  load(name: string): unknown
}

/** Undefined where the build has none that this V8 takes. */
export function openCompiled(dist: string): Compiled | undefined
