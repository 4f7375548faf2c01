import {createHash} from 'node:crypto'
import type {PartReceipt, Session} from '../../../src/stores/store.ts'
import {manifestEtag} from '../../../src/stores/swift/manifest.ts'
import {createNockedAgents} from '../../support/nock.ts'
import type {Reply, Seen} from '../s3/wire.ts'
import {answer} from '../s3/wire.ts'
import {openSwift} from './open-swift.ts'
import type {OpenedSwift} from './open-swift.ts'
import {at} from './upload-parts.ts'

export {stopAnswering} from '../s3/wire.ts'
export type {Reply, Seen} from '../s3/wire.ts'

export const ORIGIN = 'http://swift.test:8080'
export const PATH = '/v1/AUTH_a'
export const AUTH = {method: 'v1', authUrl: `${ORIGIN}/auth/v1.0`, user: 'a:u', key: 'very-secret'} as const

export const INFO = {
  swift: {
    max_file_size: 1000,
    max_object_name_length: 1024,
    version: '2.30.1',
    policies: [{name: 'one', default: true}],
  },
  slo: {max_manifest_segments: 7, min_segment_size: 3},
  tempurl: {allowed_digests: ['sha1', 'sha512'], methods: ['GET', 'PUT']},
}

/** What the cluster says of itself. */
export const TOLD: Reply = [200, JSON.stringify(INFO)]

/** Signs in by v1, and answers all else from a list or by a function; a token is `token-1`, then `token-2`. */
export function answerSwift(replies: readonly Reply[] | ((seen: Seen) => Reply | undefined)): Seen[] {
  let tokens = 0
  let next = 0
  const rest: Seen[] = []
  answer(seen => {
    if (seen.path === '/auth/v1.0') {
      return [200, '', {'x-storage-url': `${ORIGIN}${PATH}`, 'x-auth-token': `token-${++tokens}`}]
    }
    rest.push(seen)
    const reply = typeof replies === 'function' ? replies(seen) : replies[next++]
    if (reply === undefined) throw new Error(`no answer for ${seen.method} ${seen.path}`)
    return reply
  }, ORIGIN)
  return rest
}

export const openBare = (): Promise<OpenedSwift> =>
  openSwift({auth: AUTH}, {isBare: true, agents: createNockedAgents()})

export function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** What was asked, as `METHOD path`. */
export function asked(seen: readonly Seen[]): string[] {
  return seen.map(({method, path}) => `${method} ${path.replace(PATH, '')}`)
}

const uploadId = 'skylift-20260101T000000Z-0123456789abcdef'
export const PLACE = {container: 'box_segments', prefix: `k/${uploadId}/`}
/** An upload whose two segments have been sent, as its manifest will name them. */
export const session: Session = {
  target: at('box', 'k'),
  uploadId,
  options: {},
  size: 5,
  partSize: 3,
  checksum: 'md5',
  state: PLACE,
}
export const receipts: readonly PartReceipt[] = ['hel', 'lo'].map((text, index) => ({
  number: index + 1,
  size: text.length,
  etag: md5Of(text),
  crc32: '',
}))
export const ETAG = manifestEtag(receipts)
