import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import type {Call, Json, LinkStore, Target} from '../stores/store.ts'
import {makeLink} from './make-link.ts'
import {describeTempUrl, tempUrlToJson} from './temp-url-words.ts'

export const uploadLinkFlags = {
  link: Flags.boolean({
    description: 'print a link to each object: whoever holds it can download the object for an hour',
    helpGroup: 'LINK',
  }),
  filename: Flags.string({
    description: 'the name under which the link saves it; for one file',
    dependsOn: ['link'],
    helpGroup: 'LINK',
    helpValue: 'NAME',
  }),
}

export interface UploadLink {
  readonly url: string
  /** What a person should know, without the URL. */
  readonly words: readonly string[]
  readonly json: Json
}

/** Makes a link to what was just stored. */
export type Linker = (target: Target, call: Call) => Promise<UploadLink>

/** Where links are to be made: those for files that are known are tried at once. */
export interface LinkPlace {
  readonly target: Target
  readonly named?: readonly {readonly target: Target}[]
  /** Absent where there are no credentials to sign with. */
  readonly links: LinkStore | undefined
}

/** Prepares links, so that what is wrong with them is known before anything is sent. Fails as `LinkStore.link`. */
export async function createLinker({target, named, links}: LinkPlace, filename: string | undefined): Promise<Linker> {
  if (links === undefined) throw new Failure('usage', '--link needs credentials of its own.')
  const link: Linker = async (to, call) => {
    const made = await makeLink(links, to, {filename}, call)
    return {url: made.url, words: describeTempUrl(made, to), json: tempUrlToJson(made, to, undefined)}
  }
  const call = {signal: new AbortController().signal}
  for (const each of named ?? [{target: {...target, key: `${target.key}a`}}]) await link(each.target, call)
  return link
}
