import type {ConnectionFlags} from './flags.ts'
import type {SavedRemote, SavedS3, SavedSwift, SecretSource} from './saved-remote.ts'

type Env = Readonly<Record<string, string | undefined>>

/** One setting of a remote as it would be used now, and where its value comes from. */
export interface Setting {
  readonly setting: string
  readonly value: string
  readonly from: string
}

type Candidate = readonly [from: string, value: string | undefined]

/**
 * Tells what a remote comes to now: flag, environment, remote, default, the first that says something. No secret is in
 * it. `flags` has what was given on the command line alone.
 */
export function settleRemote(saved: SavedRemote, flags: ConnectionFlags, env: Env, isBuiltIn: boolean): Setting[] {
  const from = isBuiltIn ? 'default' : 'remote'
  return saved.provider === 's3' ? settleS3(saved, flags, env, from) : settleSwift(saved, flags, env, from)
}

function settleS3(saved: SavedS3, flags: ConnectionFlags, env: Env, from: string): Setting[] {
  // With keys of its own a remote has nothing to do with what the environment says of AWS.
  const around: Env = saved.secret === undefined ? env : {}
  return [
    settle('protocol', [from, 's3']),
    settle(
      'endpoint',
      ['flag --endpoint-url', flags['endpoint-url']],
      variable(env, 'SKYLIFT_ENDPOINT_URL'),
      ['remote', saved.endpointUrl],
      variable(around, 'AWS_ENDPOINT_URL_S3'),
      variable(around, 'AWS_ENDPOINT_URL'),
      ['default', saved.secret === undefined ? 'what the AWS profile says, or AWS' : 'AWS'],
    ),
    settle(
      'region',
      ['flag --region', flags.region],
      ['remote', saved.region],
      variable(around, 'AWS_REGION'),
      variable(around, 'AWS_DEFAULT_REGION'),
      ['default', 'found when it is needed'],
    ),
    ...settleKeys(saved, flags, env),
  ]
}

function settleKeys(saved: SavedS3, flags: ConnectionFlags, env: Env): Setting[] {
  if (flags.profile !== undefined) return [settle('profile', ['flag --profile', flags.profile])]
  const {accessKeyId, secret} = saved
  if (secret === undefined && saved.profile !== undefined) return [settle('profile', ['remote', saved.profile])]
  if (secret === undefined) {
    return [settle('profile', variable(env, 'AWS_PROFILE'), ['default', 'the AWS chain'])]
  }
  return [
    settle('access key ID', ['remote', accessKeyId], ['credential process', 'as it answers']),
    {setting: 'secret access key', ...describeSecret(secret, env)},
  ]
}

function settleSwift(saved: SavedSwift, flags: ConnectionFlags, env: Env, from: string): Setting[] {
  const isOwn = saved.auth !== undefined
  const around: Env = isOwn ? {} : env
  return [
    settle('protocol', [from, 'swift']),
    ...settleSignIn(saved, flags, env),
    settle('region', ['flag --region', flags.region], ['remote', saved.region], variable(around, 'OS_REGION_NAME'), [
      'default',
      'the only one of the sign-in',
    ]),
    settle(
      'interface',
      ['flag --interface', flags.interface],
      ['remote', saved.interface],
      variable(around, 'OS_INTERFACE'),
      ['default', 'public'],
    ),
    settle('storage URL', ['remote', saved.storageUrl], variable(around, 'OS_STORAGE_URL'), [
      'default',
      'as the sign-in says',
    ]),
    settle(
      'segment container',
      ['flag --segment-container', flags['segment-container']],
      ['remote', saved.segmentContainer],
      ['default', 'CONTAINER_segments'],
    ),
    ...(saved.tempUrlKeyEnv === undefined
      ? []
      : [{setting: 'Temp-URL key', ...describeSecret({env: saved.tempUrlKeyEnv}, env)}]),
  ]
}

function settleSignIn(saved: SavedSwift, flags: ConnectionFlags, env: Env): Setting[] {
  const {auth, secret, cloud} = saved
  if (flags['os-cloud'] !== undefined) return [settle('cloud', ['flag --os-cloud', flags['os-cloud']])]
  if (cloud !== undefined) return [settle('cloud', ['remote', cloud])]
  if (auth === undefined) {
    const found = SIGN_INS.find(name => env[name])
    return [
      settle('sign-in', found === undefined ? ['', undefined] : variable(env, found), [
        'default',
        'the only cloud of clouds.yaml',
      ]),
    ]
  }
  const words = [
    ['sign-in', auth.authUrl],
    ['method', auth.method],
    ['user', auth.user],
    ['user domain', auth.userDomain],
    ['project', auth.project],
    ['project ID', auth.projectId],
    ['project domain', auth.projectDomain],
    ['application credential', auth.credentialId],
  ] as const
  return [
    ...words.flatMap(([setting, value]) => (value === undefined ? [] : [settle(setting, ['remote', value])])),
    ...(secret === undefined ? [] : [{setting: 'secret', ...describeSecret(secret, env)}]),
  ]
}

/** In the order in which the driver looks at them. */
const SIGN_INS = ['OS_CLOUD', 'OS_AUTH_URL', 'ST_AUTH', 'RACKSPACE_USERNAME', 'OS_STORAGE_URL']

function settle(setting: string, ...candidates: readonly Candidate[]): Setting {
  const [from, value = ''] = candidates.find(([, each]) => each !== undefined) ?? ['default', '']
  return {setting, value, from}
}

function variable(env: Env, name: string): Candidate {
  return [`environment ${name}`, env[name] || undefined]
}

/** Never more than how it is had: not its length, nor how it begins. */
export function describeSecret(secret: SecretSource, env: Env): Omit<Setting, 'setting'> {
  if ('value' in secret) return {value: '****', from: 'remote'}
  if ('env' in secret) return {value: env[secret.env] ? '****' : 'not set', from: `environment ${secret.env}`}
  const [program = '', ...words] = secret.command.trim().split(/\s+/u)
  return {value: '****', from: `credential process: ${program}${words.length > 0 ? ' …' : ''}`}
}
