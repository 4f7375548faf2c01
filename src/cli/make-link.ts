import {Failure} from '../core/failure.ts'
import type {Call, LinkStore, Target, TempUrl} from '../stores/store.ts'
import {DEFAULT_EXPIRY} from './expiry.ts'
import {chooseLinkName} from './link-name.ts'

export interface LinkFlags {
  readonly filename?: string | undefined
  readonly 'keep-extension'?: boolean
  readonly inline?: boolean
  readonly 'content-type'?: string | undefined
  readonly expires?: number | undefined
  readonly 'allow-shorter'?: boolean
}

/** Makes a link from flags; its notes tell of the extension trap too. Fails as `LinkStore.link`. */
export async function makeLink(store: LinkStore, target: Target, flags: LinkFlags, call: Call): Promise<TempUrl> {
  const {filename, notes} = chooseLinkName(flags.filename, target, flags['keep-extension'] === true)
  const {'content-type': contentType, expires: expiresIn = DEFAULT_EXPIRY} = flags
  const options = {
    expiresIn,
    inline: flags.inline === true,
    allowShorter: flags['allow-shorter'] === true,
    ...(filename === undefined ? {} : {filename}),
    ...(contentType === undefined ? {} : {contentType}),
  }
  const made = await store.link(target, options, call)
  return {...made, notes: [...made.notes, ...notes]}
}

/** Fails `usage` where a plain address was asked for, and something that only a signature can ask of a store. */
export function checkPublic(flags: LinkFlags): void {
  const names = ['filename', 'keep-extension', 'inline', 'content-type', 'expires', 'allow-shorter'] as const
  const other = names.find(name => flags[name] !== undefined && flags[name] !== false)
  if (other === undefined) return
  throw new Failure('usage', `--public and --${other} do not go together: a plain address has no name and no end.`, {
    suggestion: `Leave one of them away; what a plain address says is set at upload, as with --content-disposition.`,
  })
}
