import {Flags} from '@oclif/core'
import {PRESET_NAMES} from './presets.ts'
import {AUTH_METHODS} from './saved-remote.ts'

/** What `remote add` takes; `helpGroup` tells which provider a flag is for. */
export const remoteFlags = {
  preset: Flags.string({description: 'provider whose addresses are known', options: PRESET_NAMES}),
  provider: Flags.string({description: 'without a preset: the protocol it speaks', options: ['s3', 'swift']}),
  region: Flags.string({description: 'region of the store'}),
  account: Flags.string({description: 'account in the address, where the preset has one (r2)', helpValue: 'ID'}),
  'secret-stdin': Flags.boolean({
    description: 'read the secret from stdin, and keep it in the file (0600)',
    exclusive: ['secret-env', 'credential-process'],
  }),
  'secret-env': Flags.string({
    description: 'take the secret from this variable whenever it is needed; the name is kept, not the value',
    helpValue: 'NAME',
    exclusive: ['secret-stdin', 'credential-process'],
  }),
  'credential-process': Flags.string({
    description:
      'run this command whenever the secret is needed, and read the JSON of an AWS credential_process: the way to a keyring or a vault',
    helpValue: 'COMMAND',
    exclusive: ['secret-stdin', 'secret-env'],
  }),
  'endpoint-url': Flags.string({description: 'address of the S3 API', helpValue: 'URL', helpGroup: 'S3'}),
  'access-key-id': Flags.string({
    description: 'access key ID; without it the AWS chain',
    helpValue: 'ID',
    helpGroup: 'S3',
  }),
  profile: Flags.string({description: 'AWS profile to take credentials from', helpGroup: 'S3'}),
  'auth-url': Flags.string({description: 'address to sign in at', helpValue: 'URL', helpGroup: 'SWIFT'}),
  'auth-method': Flags.string({
    description: 'how to sign in; v3-password unless the address or another flag says more',
    options: AUTH_METHODS,
    helpGroup: 'SWIFT',
  }),
  'os-cloud': Flags.string({
    description: 'cloud of clouds.yaml, which then has the secret',
    helpValue: 'NAME',
    helpGroup: 'SWIFT',
  }),
  user: Flags.string({description: 'user name; for v1 ACCOUNT:USER', helpGroup: 'SWIFT'}),
  'user-domain': Flags.string({description: 'domain of the user; Default unless given', helpGroup: 'SWIFT'}),
  project: Flags.string({description: 'name of the project (tenant)', helpGroup: 'SWIFT'}),
  'project-id': Flags.string({description: 'ID of the project, instead of its name', helpGroup: 'SWIFT'}),
  'project-domain': Flags.string({description: 'domain of the project; Default unless given', helpGroup: 'SWIFT'}),
  'application-credential-id': Flags.string({
    description: 'application credential instead of user and project',
    helpValue: 'ID',
    helpGroup: 'SWIFT',
  }),
  interface: Flags.string({
    description: 'which endpoint of the catalog to use',
    options: ['public', 'internal', 'admin'],
    helpGroup: 'SWIFT',
  }),
  'storage-url': Flags.string({
    description: 'address of the account, instead of what the sign-in says',
    helpValue: 'URL',
    helpGroup: 'SWIFT',
  }),
  'temp-url-key-env': Flags.string({
    description: 'variable that holds the Temp-URL key to sign with, instead of asking the store for it',
    helpValue: 'NAME',
    helpGroup: 'SWIFT',
  }),
  'segment-container': Flags.string({
    description: 'where the segments of large objects go',
    helpValue: 'CONTAINER',
    helpGroup: 'SWIFT',
  }),
}

/** What these flags were given. */
export interface RemoteFlags {
  readonly preset?: string | undefined
  readonly provider?: string | undefined
  readonly region?: string | undefined
  readonly account?: string | undefined
  readonly 'secret-stdin'?: boolean | undefined
  readonly 'secret-env'?: string | undefined
  readonly 'credential-process'?: string | undefined
  readonly 'endpoint-url'?: string | undefined
  readonly 'access-key-id'?: string | undefined
  readonly profile?: string | undefined
  readonly 'auth-url'?: string | undefined
  readonly 'auth-method'?: string | undefined
  readonly 'os-cloud'?: string | undefined
  readonly user?: string | undefined
  readonly 'user-domain'?: string | undefined
  readonly project?: string | undefined
  readonly 'project-id'?: string | undefined
  readonly 'project-domain'?: string | undefined
  readonly 'application-credential-id'?: string | undefined
  readonly interface?: string | undefined
  readonly 'storage-url'?: string | undefined
  readonly 'segment-container'?: string | undefined
  readonly 'temp-url-key-env'?: string | undefined
}

const ONLY_S3 = ['endpoint-url', 'access-key-id', 'profile', 'account'] as const
const ONLY_SWIFT = [
  'auth-url',
  'auth-method',
  'os-cloud',
  'user',
  'user-domain',
  'project',
  'project-id',
  'project-domain',
  'application-credential-id',
  'interface',
  'storage-url',
  'segment-container',
  'temp-url-key-env',
] as const

/** The flags that were given and that only one of the protocols knows. */
export function flagsOnlyOf(provider: 's3' | 'swift', flags: RemoteFlags): readonly string[] {
  return (provider === 's3' ? ONLY_S3 : ONLY_SWIFT).filter(name => flags[name] !== undefined)
}
