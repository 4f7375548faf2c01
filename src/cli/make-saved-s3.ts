import {Failure} from '../core/failure.ts'
import {ask, canAsk} from './ask.ts'
import type {Preset} from './presets.ts'
import {checkAddress, checkWord, demandSecret, demandWord, missingFlag} from './remote-answers.ts'
import type {RemoteFlags} from './remote-flags.ts'
import type {SavedS3} from './saved-remote.ts'

/** Makes a remote that speaks S3. Fails `usage`. */
export async function makeSavedS3(flags: RemoteFlags, preset: Preset | undefined): Promise<SavedS3> {
  const needs = preset?.needs ?? (flags.profile === undefined ? ['endpoint-url'] : [])
  const question = `Region, such as ${preset?.regionsLike ?? 'us-east-1'}:`
  const region = needs.includes('region') ? await demandWord(flags, 'region', question) : flags.region
  const account = needs.includes('account') ? await demandWord(flags, 'account', 'Account ID:') : ''
  const own = needs.includes('endpoint-url')
    ? await demandWord(flags, 'endpoint-url', 'Address of the S3 API:')
    : flags['endpoint-url']
  const place = region ?? preset?.region
  const endpointUrl = own ?? fillHoles(preset?.endpointUrl, {region: place ?? '', account})
  const signingRegion = preset?.signingRegion ?? place
  return {
    provider: 's3',
    ...(endpointUrl === undefined ? {} : {endpointUrl: checkAddress('endpoint-url', endpointUrl)}),
    ...(signingRegion === undefined ? {} : {region: signingRegion}),
    ...(await findKeys(flags)),
  }
}

/** Undefined is AWS itself. */
function fillHoles(
  pattern: string | undefined,
  words: Readonly<Record<'region' | 'account', string>>,
): string | undefined {
  return pattern?.replaceAll(/\{(region|account)\}/gu, (_, name: 'region' | 'account') => {
    if (/^[\w-]+$/u.test(words[name])) return words[name]
    throw new Failure('usage', `--${name}: "${words[name]}" cannot stand in an address.`)
  })
}

/** Without keys of its own the remote uses the AWS chain. */
async function findKeys(flags: RemoteFlags): Promise<Pick<SavedS3, 'accessKeyId' | 'secret' | 'profile'>> {
  const {profile, 'access-key-id': given, 'credential-process': command} = flags
  const isSecretGiven = flags['secret-stdin'] === true || flags['secret-env'] !== undefined
  if (profile !== undefined) {
    if (!isSecretGiven && command === undefined && given === undefined) return {profile: checkWord('profile', profile)}
    throw new Failure('usage', 'A profile has its own keys: give one or the other.')
  }
  if (command !== undefined) {
    return {...(given === undefined ? {} : {accessKeyId: given}), secret: await demandSecret(flags, '')}
  }
  const id = given ?? (canAsk() ? await ask('Access key ID (nothing: the AWS chain):') : '')
  if (id !== '') return {accessKeyId: id, secret: await demandSecret(flags, 'Secret access key:')}
  if (isSecretGiven) throw missingFlag('access-key-id')
  return {}
}
