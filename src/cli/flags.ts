import {Flags} from '@oclif/core'
import {parseDuration} from '../core/durations.ts'
import {Failure} from '../core/failure.ts'
import {parseSize} from '../core/sizes.ts'
import type {Pair} from './pairs.ts'

export const sizeFlag = Flags.custom<number>({parse: text => Promise.resolve(parseSize(text)), helpValue: 'SIZE'})
export const durationFlag = Flags.custom<number>({
  parse: text => Promise.resolve(parseDuration(text)),
  helpValue: 'TIME',
})
/** `name=value`; the value may be empty and may have further equals signs. */
export const pairFlag = Flags.custom<Pair>({
  parse(text) {
    const at = text.indexOf('=')
    if (at < 1) throw new Failure('usage', `"${text}" is not of the form name=value.`)
    return Promise.resolve([text.slice(0, at), text.slice(at + 1)] as const)
  },
  helpValue: 'NAME=VALUE',
})

export const connectionFlags = {
  'endpoint-url': Flags.string({
    description: 'address of the S3 API; AWS unless given (also AWS_ENDPOINT_URL)',
    env: 'SKYLIFT_ENDPOINT_URL',
    helpGroup: 'CONNECTION',
    helpValue: 'URL',
  }),
  region: Flags.string({description: 'region of the store; found unless given', helpGroup: 'CONNECTION'}),
  profile: Flags.string({description: 'AWS profile to take credentials from', helpGroup: 'CONNECTION'}),
  'os-cloud': Flags.string({
    description: 'swift: cloud of clouds.yaml to sign in to (also OS_CLOUD)',
    helpGroup: 'CONNECTION',
    helpValue: 'NAME',
  }),
  interface: Flags.string({
    description: 'swift: which endpoint of the catalog to use',
    options: ['public', 'internal', 'admin'],
    helpGroup: 'CONNECTION',
  }),
  'segment-container': Flags.string({
    description: 'swift: where the segments of large objects go; CONTAINER_segments unless given',
    helpGroup: 'CONNECTION',
    helpValue: 'CONTAINER',
  }),
  'ca-bundle': Flags.string({
    description: 'PEM file of certificates to trust beside the built-in ones (also AWS_CA_BUNDLE)',
    helpGroup: 'CONNECTION',
    helpValue: 'FILE',
  }),
  'no-verify-ssl': Flags.boolean({
    description: 'do not check certificates: anybody on the way may read and change everything',
    helpGroup: 'CONNECTION',
  }),
  'retry-for': durationFlag({
    description: 'go on trying so long without any success; 5m unless given',
    helpGroup: 'CONNECTION',
  }),
  'connect-timeout': durationFlag({
    description: 'wait so long for a connection; 10s unless given',
    helpGroup: 'CONNECTION',
  }),
  'stall-timeout': durationFlag({
    description:
      'give up a connection on which no byte moved for so long, in the midst of a body or an answer; 30s unless given, and an answer may take a minute to begin',
    helpGroup: 'CONNECTION',
  }),
}

export const objectFlags = {
  'content-type': Flags.string({description: 'guessed from the name unless given', helpGroup: 'OBJECT'}),
  'cache-control': Flags.string({description: 'how caches treat the object', helpGroup: 'OBJECT'}),
  'content-disposition': Flags.string({description: 'how browsers show or save the object', helpGroup: 'OBJECT'}),
  'content-encoding': Flags.string({description: 'how the bytes are encoded, such as gzip', helpGroup: 'OBJECT'}),
  metadata: pairFlag({
    char: 'm',
    description: 'metadata of the object; may be given several times',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'OBJECT',
  }),
  tag: pairFlag({
    description: 'tag of the object; may be given several times',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'OBJECT',
  }),
  'storage-class': Flags.string({description: 'storage class, such as STANDARD_IA', helpGroup: 'OBJECT'}),
  acl: Flags.string({description: 'canned ACL, such as public-read', helpGroup: 'OBJECT'}),
  sse: Flags.string({
    description: 'server-side encryption',
    options: ['AES256', 'aws:kms', 'aws:kms:dsse'],
    helpGroup: 'OBJECT',
  }),
  'sse-kms-key-id': Flags.string({description: 'KMS key for --sse aws:kms', helpGroup: 'OBJECT'}),
  'no-clobber': Flags.boolean({
    description: 'fail rather than replace an object; atomic where the store can, said where it cannot',
    helpGroup: 'OBJECT',
  }),
  'delete-after': durationFlag({
    description: 'swift: the store deletes the object after so long, such as 30d, and its segments a day later',
    helpGroup: 'OBJECT',
  }),
  'keep-old-segments': Flags.boolean({
    description: 'swift: leave the segments of a large object that is replaced',
    helpGroup: 'OBJECT',
  }),
}

export const progressFlags = {
  progress: Flags.string({
    description: 'how to tell the progress on stderr',
    options: ['auto', 'terminal', 'lines', 'json', 'none'],
    default: 'auto',
    env: 'SKYLIFT_PROGRESS',
  }),
  quiet: Flags.boolean({char: 'q', description: 'no progress: the same as --progress none'}),
}

export interface ConnectionFlags {
  readonly 'endpoint-url'?: string | undefined
  readonly region?: string | undefined
  readonly profile?: string | undefined
  readonly 'os-cloud'?: string | undefined
  readonly interface?: string | undefined
  readonly 'segment-container'?: string | undefined
  readonly 'ca-bundle'?: string | undefined
  readonly 'no-verify-ssl'?: boolean
  readonly 'retry-for'?: number | undefined
  readonly 'connect-timeout'?: number | undefined
  readonly 'stall-timeout'?: number | undefined
  readonly debug?: boolean
}

export const stateFlags = {
  'state-dir': Flags.string({
    description: 'folder for journals and what was learned of endpoints (also SKYLIFT_STATE_DIR)',
    helpGroup: 'RESUME',
    helpValue: 'FOLDER',
  }),
}

export const resumeFlags = {
  resume: Flags.string({
    description: 'auto: go on from our own journal; store: from any unfinished upload of that key; never: start anew',
    options: ['auto', 'store', 'never'],
    default: 'auto',
    helpGroup: 'RESUME',
  }),
  'on-change': Flags.string({
    description: 'when the file changes meanwhile: fail, retry from the start, or send the prefix that was there',
    options: ['fail', 'retry', 'prefix'],
    default: 'fail',
    helpGroup: 'RESUME',
  }),
  receipt: Flags.string({
    description: 'write what is needed to verify the object later; for one file',
    helpGroup: 'RESUME',
    helpValue: 'FILE',
  }),
  sha256: Flags.boolean({
    description: 'put the SHA-256 of the file into the receipt',
    helpGroup: 'RESUME',
    dependsOn: ['receipt'],
  }),
  ...stateFlags,
}
