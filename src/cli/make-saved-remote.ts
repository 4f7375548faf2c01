import {Failure} from '../core/failure.ts'
import {ask, canAsk} from './ask.ts'
import {makeSavedS3} from './make-saved-s3.ts'
import {makeSavedSwift} from './make-saved-swift.ts'
import {findPreset, PRESET_NAMES, PRESETS} from './presets.ts'
import {missingFlag} from './remote-answers.ts'
import {flagsOnlyOf} from './remote-flags.ts'
import type {RemoteFlags} from './remote-flags.ts'
import type {SavedRemote} from './saved-remote.ts'

const PROVIDERS = ['s3', 'swift'] as const
type Provider = (typeof PROVIDERS)[number]

/** Makes a remote from flags; on a terminal it asks for what is missing. Fails `usage`. */
export async function makeSavedRemote(flags: RemoteFlags): Promise<SavedRemote> {
  if (flags.preset !== undefined && flags.provider !== undefined) {
    throw new Failure('usage', 'A preset has its own provider: give one or the other.')
  }
  const name = flags.preset ?? findProvider(flags) ?? (await askPreset())
  const preset = findPreset(name)
  const provider = preset?.provider ?? (name as Provider)
  const [wrong] = flagsOnlyOf(provider === 's3' ? 'swift' : 's3', flags)
  if (wrong !== undefined) {
    throw new Failure('usage', `--${wrong} does not go with ${preset === undefined ? provider : `the preset ${name}`}.`)
  }
  const saved = provider === 's3' ? await makeSavedS3(flags, preset) : await makeSavedSwift(flags, preset)
  return preset === undefined ? saved : {...saved, preset: name}
}

/** Where an address is said, the protocol is known by it. */
function findProvider(flags: RemoteFlags): Provider | undefined {
  if (flags.provider !== undefined) return flags.provider as Provider
  if (flags['auth-url'] !== undefined || flags['os-cloud'] !== undefined) return 'swift'
  return flags['endpoint-url'] !== undefined || flags.profile !== undefined ? 's3' : undefined
}

async function askPreset(): Promise<string> {
  if (!canAsk())
    throw missingFlag('preset', `Take one of ${PRESET_NAMES.join(', ')}; or --endpoint-url, or --auth-url.`)
  const titles = PRESET_NAMES.map(name => `  ${name.padEnd(14)}${PRESETS[name]?.title ?? ''}`)
  process.stderr.write(`${titles.join('\n')}\n  ${'s3 or swift'.padEnd(14)}any other store of that kind\n`)
  for (;;) {
    const answer = await ask('Which one?')
    if ([...PRESET_NAMES, ...PROVIDERS].includes(answer)) return answer
    process.stderr.write('One of these words, please.\n')
  }
}
