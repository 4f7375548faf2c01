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

/** Fails `usage` where several objects would be saved under one name. */
export function checkLinkName(filename: string | undefined, files: readonly string[]): void {
  if (filename === undefined || files.length === 1) return
  throw new Failure('usage', '--filename is for one file.', {
    suggestion: 'Leave it away: a link has the name of its file.',
  })
}

export interface UploadLink {
  readonly url: string
  /** What a person should know, without the URL. */
  readonly words: readonly string[]
  readonly json: Json
}

/** Makes a link to each object that was just stored. */
export async function makeUploadLinks(
  store: LinkStore,
  targets: readonly Target[],
  filename: string | undefined,
  call: Call,
): Promise<readonly UploadLink[]> {
  const links: UploadLink[] = []
  for (const target of targets) {
    const made = await makeLink(store, target, {filename}, call)
    links.push({url: made.url, words: describeTempUrl(made, target), json: tempUrlToJson(made, target, undefined)})
  }
  return links
}
