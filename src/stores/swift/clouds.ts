import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {Failure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {Surroundings} from '../surroundings.ts'

export type Settings = {readonly [name: string]: unknown}

/** A cloud of clouds.yaml, with what secure.yaml and its profile in clouds-public.yaml add. */
export interface Cloud {
  readonly name: string
  readonly settings: Settings
}

/** Where the files may stand; tests have folders of their own. */
export interface CloudFolders {
  readonly current: string
  readonly system: string
}

const FOLDERS: CloudFolders = {current: '.', system: '/etc/openstack'}
const ENDINGS = ['yaml', 'yml', 'json']

// https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
/**
 * Finds a cloud by name; without one, the only cloud that there is. Undefined where there is no file, or several clouds
 * and no name. Fails `config` for a name that no file has, and for a file that is no YAML.
 */
export async function findCloud(
  name: string | undefined,
  {env, home}: Surroundings,
  folders: CloudFolders = FOLDERS,
): Promise<Cloud | undefined> {
  const personal = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'openstack')
  const order = [folders.current, personal, folders.system]
  const find = (file: string, given: string | undefined): Promise<Settings | undefined> =>
    readFirst([
      ...(given ? [given] : []),
      ...order.flatMap(folder => ENDINGS.map(ending => join(folder, `${file}.${ending}`))),
    ])

  const main = await find('clouds', env['OS_CLIENT_CONFIG_FILE'])
  const secure = await find('secure', env['OS_CLIENT_SECURE_FILE'])
  const clouds = sectionOf(merge(sectionOf(main?.['clouds']), sectionOf(secure?.['clouds'])))
  const names = Object.keys(clouds)
  const chosen = name ?? (names.length === 1 ? names[0] : undefined)
  if (chosen === undefined) return undefined
  if (!Object.hasOwn(clouds, chosen)) throw unknownCloud(chosen, names, main !== undefined)
  const own = sectionOf(clouds[chosen])
  const profile = textOf(own['profile']) ?? textOf(own['cloud'])
  if (profile === undefined) return {name: chosen, settings: own}
  const vendors = sectionOf((await find('clouds-public', env['OS_CLIENT_VENDOR_FILE']))?.['public-clouds'])
  // A profile of the SDK itself is not ours to know; the cloud may say all that is needed.
  return {name: chosen, settings: merge(sectionOf(vendors[profile]), own)}
}

async function readFirst(files: readonly string[]): Promise<Settings | undefined> {
  for (const file of files) {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) continue
      throw new Failure('config', `"${printable(file)}" cannot be read.`, {cause: error})
    }
    // CommonJS: in the bundle it has no other names.
    const {default: yaml} = await import('yaml')
    try {
      // Every value stays the text that it is (a password 0123 or 1e5 is no number), and `<<` joins sections, as in
      // PyYAML. Its warnings would print lines of a file with secrets in it.
      return sectionOf(yaml.parse(text, {schema: 'failsafe', customTags: ['null'], merge: true, logLevel: 'silent'}))
    } catch (error) {
      const line = (error as {linePos?: {line: number}[]}).linePos?.[0]?.line
      throw new Failure(
        'config',
        `"${printable(file)}" is not YAML${line === undefined ? '' : `: look at line ${line}`}.`,
      )
    }
  }
  return undefined
}

/** The second wins; sections are joined, anything else is replaced. */
function merge(first: Settings, second: Settings): Settings {
  const merged: Record<string, unknown> = {...first}
  for (const [name, value] of Object.entries(second)) {
    merged[name] = isSection(merged[name]) && isSection(value) ? merge(merged[name], value) : value
  }
  return merged
}

function isSection(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function sectionOf(value: unknown): Settings {
  return isSection(value) ? value : {}
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function unknownCloud(name: string, names: readonly string[], isThere: boolean): Failure {
  const has = names.length === 0 ? 'has none' : `has ${printable(names.toSorted().join(', '))}`
  return new Failure(
    'config',
    `There is no cloud "${printable(name)}" in clouds.yaml${isThere ? `: it ${has}` : ''}.`,
    {
      suggestion: isThere
        ? 'Take one of these with --os-cloud or OS_CLOUD.'
        : 'clouds.yaml is looked for in this folder, in ~/.config/openstack and in /etc/openstack.',
    },
  )
}
