import type {Command} from '@oclif/core'
import {LOADERS} from './loaders.ts'

/** Every command by its words, loaded: what help, the reference and tests look at. */
export const COMMANDS: Record<string, Command.Class> = Object.fromEntries(
  await Promise.all(Object.entries(LOADERS).map(async ([id, load]) => [id, await load()] as const)),
)
