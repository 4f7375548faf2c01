import type {Json} from '../stores/store.ts'
import {findPreset} from './presets.ts'
import type {SavedRemote} from './saved-remote.ts'
import {formatTable} from './table.ts'

/** One saved remote, or why it cannot be understood. */
export interface ListedRemote {
  readonly name: string
  readonly saved?: SavedRemote
  readonly problem?: string
}

export function describeRemotes(remotes: readonly ListedRemote[]): string {
  return formatTable(
    ['NAME', 'PROTOCOL', 'PROVIDER', 'WHERE', 'REGION', 'SECRET'],
    remotes.map(({name, saved, problem}) =>
      saved === undefined
        ? [name, '?', problem ?? '']
        : [name, saved.provider, titleOf(saved), placeOf(saved), saved.region ?? '-', secretOf(saved)],
    ),
  )
}

export function remoteToJson({name, saved, problem}: ListedRemote): Json {
  if (saved === undefined) return {name, problem: problem ?? ''}
  const {secret: _, ...words} = saved
  return {name, ...(JSON.parse(JSON.stringify(words)) as {[name: string]: Json}), secret: secretOf(saved)}
}

function titleOf({preset}: SavedRemote): string {
  return findPreset(preset)?.title ?? '-'
}

function placeOf(saved: SavedRemote): string {
  if (saved.provider === 's3') return saved.endpointUrl ?? 'AWS'
  return saved.auth?.authUrl ?? (saved.cloud === undefined ? '-' : `clouds.yaml: ${saved.cloud}`)
}

/** How the secret is had, in one word. */
function secretOf(saved: SavedRemote): string {
  const {secret} = saved
  if (secret !== undefined) {
    if ('value' in secret) return 'in the file'
    return 'env' in secret ? `$${secret.env}` : 'credential process'
  }
  if (saved.provider === 'swift') return 'clouds.yaml'
  return saved.profile === undefined ? 'AWS chain' : `AWS profile ${saved.profile}`
}

/** What to know of a remote that was just saved. */
export function savedNotes(
  name: string,
  saved: SavedRemote,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const preset = findPreset(saved.preset)
  const address = saved.provider === 's3' ? saved.endpointUrl : saved.auth?.authUrl
  const {secret} = saved
  return [
    ...(preset === undefined ? [] : [`${preset.title}: ${preset.quirks}`, preset.tried]),
    ...(isPlain(address)
      ? ['http:// sends everything unencrypted, the sign-in too: take https:// where there is any.']
      : []),
    ...(secret !== undefined && 'env' in secret && !env[secret.env] ? [`${secret.env} is not set at the moment.`] : []),
    ...(secret === undefined && saved.provider === 's3' && saved.profile === undefined
      ? ['It has no keys of its own: those of the AWS chain are used (environment, profile, role).']
      : []),
    `Now it can be used: skylift upload FILE ${name}://CONTAINER/`,
  ]
}

function isPlain(address: string | undefined): boolean {
  return (
    address?.startsWith('http://') === true &&
    !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/iu.test(new URL(address).hostname)
  )
}
