import type {Command} from '@oclif/core'

type Loader = () => Promise<Command.Class>

/** Every command by its words; explicit, so that nothing is searched for at start, and each in a chunk of its own. */
export const LOADERS: Readonly<Record<string, Loader>> = {
  help: async () => (await import('@oclif/plugin-help')).commands.help,
  'container:create': async () => (await import('./container/create.ts')).default,
  'container:delete': async () => (await import('./container/delete.ts')).default,
  'container:list': async () => (await import('./container/list.ts')).default,
  'container:show': async () => (await import('./container/show.ts')).default,
  'cors:clear': async () => (await import('./cors/clear.ts')).default,
  'cors:set': async () => (await import('./cors/set.ts')).default,
  'cors:show': async () => (await import('./cors/show.ts')).default,
  link: async () => (await import('./link.ts')).default,
  'pending:abort': async () => (await import('./pending/abort.ts')).default,
  'pending:list': async () => (await import('./pending/list.ts')).default,
  'pending:prune': async () => (await import('./pending/prune.ts')).default,
  sandbox: async () => (await import('./sandbox.ts')).default,
  'temp-url': async () => (await import('./temp-url.ts')).default,
  upload: async () => (await import('./upload.ts')).default,
  verify: async () => (await import('./verify.ts')).default,
}

/** Other words for the same, as the commands themselves have them: known here without loading one. */
export const ALIASES: Readonly<Record<string, string>> = {
  'bucket:create': 'container:create',
  'bucket:delete': 'container:delete',
  'bucket:list': 'container:list',
  'bucket:show': 'container:show',
  presign: 'temp-url',
  up: 'upload',
}
