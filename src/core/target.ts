import {Failure} from './failure.ts'

/** One object's place, or a container's when the key is empty. The key is raw: never decoded, never normalised. */
export interface Target {
  readonly remote: string
  readonly container: string
  readonly key: string
  /** Given where the key itself does not tell (a URL): whether the source's own name goes behind it. */
  readonly takesName?: boolean
}

/** A temp URL, and what may have come with it. */
export interface UrlDestination {
  readonly url: string
  readonly method?: string
  /** To be sent exactly so. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of a form (POST policy). */
  readonly fields?: Readonly<Record<string, string>>
}

/** Where an upload goes, as typed by the person. */
export type Destination =
  | ({readonly kind: 'target'} & Target)
  | ({readonly kind: 'url'} & UrlDestination)
  /** Without a file it is what SKYLIFT_TICKET says. */
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
    return {kind: 'ticket', file: text.slice('ticket:'.length)}
  }
  return {kind: 'target', ...parseTarget(text)}
}

/** Reads `REMOTE://container/key`; everything after the first slash is the key, as it stands. Fails `usage`. */
export function parseTarget(text: string): Target {
  if (/^https?:\/\//iu.test(text)) {
    throw new Failure('usage', `"${nameDestination(text)}" is a URL, and a target is wanted.`, {
      suggestion: 'Only upload takes a temp URL. A target is written REMOTE://container/key.',
    })
  }
  const match = REMOTE.exec(text)
  if (match === null) {
    throw new Failure('usage', `"${nameDestination(text)}" is not a target.`, {
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

/** A key that is empty or ends in a slash takes the source's own name, unless the target says otherwise. */
export function isFolderTarget(target: Target): boolean {
  return target.takesName ?? (target.key === '' || target.key.endsWith('/'))
}

/** Writes a destination for a message: a temp URL without its query, which is a secret. */
export function nameDestination(text: string): string {
  return /^https?:/iu.test(text) ? text.replace(/[?#].*$/su, '?…') : text
}
