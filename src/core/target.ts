import {Failure} from './failure.ts'

/** One object's place, or a container's when the key is empty. The key is raw: never decoded, never normalised. */
export interface Target {
  readonly remote: string
  readonly container: string
  readonly key: string
}

/** Where an upload goes, as typed by the person. */
export type Destination =
  | ({readonly kind: 'target'} & Target)
  | {readonly kind: 'url'; readonly url: string}
  | {readonly kind: 'ticket'; readonly file: string}

const REMOTE = /^([a-z][a-z0-9-]+):\/\/(.*)$/su

/** True for what is spelled like a destination: with `://`, or `ticket:`. */
export function isDestination(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//iu.test(text) || text.startsWith('ticket:')
}

/** Reads `REMOTE://container/key`, a temp URL, or `ticket:FILE`; fails `usage`. */
export function parseDestination(text: string): Destination {
  if (/^https?:\/\//iu.test(text)) return {kind: 'url', url: text}
  if (text.startsWith('ticket:')) {
    const file = text.slice('ticket:'.length)
    if (file === '') throw new Failure('usage', 'A ticket needs a file name, as in ticket:disk.json.')
    return {kind: 'ticket', file}
  }
  return {kind: 'target', ...parseTarget(text)}
}

/** Reads `REMOTE://container/key`; everything after the first slash is the key, as it stands. Fails `usage`. */
export function parseTarget(text: string): Target {
  const match = REMOTE.exec(text)
  if (match === null) {
    throw new Failure('usage', `"${text}" is not a target.`, {
      suggestion: 'Write it as REMOTE://container/key, for example s3://artifacts/build.tar.',
    })
  }
  const [, remote = '', rest = ''] = match
  const slash = rest.indexOf('/')
  const container = slash < 0 ? rest : rest.slice(0, slash)
  return {remote, container, key: slash < 0 ? '' : rest.slice(slash + 1)}
}

export function formatTarget(target: Target): string {
  return `${target.remote}://${target.container}${target.key === '' ? '' : `/${target.key}`}`
}

/** A key that is empty or ends in a slash takes the source's own name. */
export function isFolderTarget(target: Target): boolean {
  return target.key === '' || target.key.endsWith('/')
}
