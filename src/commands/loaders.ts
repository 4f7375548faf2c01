import type {Command} from '@oclif/core'

type Loader = () => Promise<Command.Class>

/** Every command by its words; explicit, so that nothing is searched for at start, and each in a chunk of its own. */
export const LOADERS: Readonly<Record<string, Loader>> = {
  help: async () => (await import('@oclif/plugin-help')).commands.help,
  completion: async () => (await import('./completion.ts')).default,
  'container:create': async () => (await import('./container/create.ts')).default,
  'container:delete': async () => (await import('./container/delete.ts')).default,
  'container:list': async () => (await import('./container/list.ts')).default,
  'container:show': async () => (await import('./container/show.ts')).default,
  'cors:clear': async () => (await import('./cors/clear.ts')).default,
  'cors:set': async () => (await import('./cors/set.ts')).default,
  'cors:show': async () => (await import('./cors/show.ts')).default,
  'cors:test': async () => (await import('./cors/test.ts')).default,
  doctor: async () => (await import('./doctor.ts')).default,
  link: async () => (await import('./link.ts')).default,
  'page:create': async () => (await import('./page/create.ts')).default,
  'page:serve': async () => (await import('./page/serve.ts')).default,
  'pending:abort': async () => (await import('./pending/abort.ts')).default,
  'pending:list': async () => (await import('./pending/list.ts')).default,
  'pending:prune': async () => (await import('./pending/prune.ts')).default,
  'remote:add': async () => (await import('./remote/add.ts')).default,
  'remote:list': async () => (await import('./remote/list.ts')).default,
  'remote:remove': async () => (await import('./remote/remove.ts')).default,
  'remote:show': async () => (await import('./remote/show.ts')).default,
  sandbox: async () => (await import('./sandbox.ts')).default,
  'temp-url': async () => (await import('./temp-url.ts')).default,
  'temp-url-key:rotate': async () => (await import('./temp-url-key/rotate.ts')).default,
  'temp-url-key:set': async () => (await import('./temp-url-key/set.ts')).default,
  'temp-url-key:show': async () => (await import('./temp-url-key/show.ts')).default,
  'ticket:create': async () => (await import('./ticket/create.ts')).default,
  'ticket:finish': async () => (await import('./ticket/finish.ts')).default,
  'ticket:renew': async () => (await import('./ticket/renew.ts')).default,
  'ticket:revoke': async () => (await import('./ticket/revoke.ts')).default,
  'ticket:show': async () => (await import('./ticket/show.ts')).default,
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
