import type {S3Ticket, SwiftPartsTicket, SwiftWholeTicket} from '../../../src/stores/ticket/ticket.ts'
import {MIB} from '../../../src/core/sizes.ts'

const SIGNATURE = 'ab'.repeat(32)

const COMMON = {
  skyliftTicket: 1,
  target: {remote: 's3', container: 'inbox', key: 'a/disk.img'},
  created: '2026-11-21T05:00:00.000Z',
  expires: '2026-11-21T17:00:00.000Z',
  size: {max: 40 * MIB},
  contentType: 'application/octet-stream',
  uploadId: 'upload-1',
  link: {
    url: 'https://s3.example.com/inbox/a/disk.img?X-Amz-Signature=cd',
    filename: 'my disk.img',
    expires: '2026-11-21T17:00:00.000Z',
  },
} as const

const PARTS = {min: 5 * MIB, max: 5120 * MIB, count: 3, equal: false} as const

export const S3_TICKET: S3Ticket = {
  ...COMMON,
  kind: 's3',
  parts: {
    ...PARTS,
    url: 'https://s3.example.com/inbox/a/disk.img?X-Amz-Signature={signature}&partNumber={number}&uploadId=upload-1',
    signatures: [SIGNATURE, SIGNATURE.replace('a', 'b'), SIGNATURE.replace('a', 'c')],
  },
  list: [`https://s3.example.com/inbox/a/disk.img?X-Amz-Signature=${SIGNATURE}&part-number-marker=0`],
  complete: `https://s3.example.com/inbox/a/disk.img?X-Amz-Signature=${SIGNATURE}&uploadId=upload-1`,
  abort: `https://s3.example.com/inbox/a/disk.img?X-Amz-Signature=${SIGNATURE}&uploadId=upload-1`,
  head: `https://s3.example.com/inbox/a/disk.img?X-Amz-Signature=${SIGNATURE}`,
}

const {link: _, ...LINKLESS} = COMMON
const SWIFT = {...LINKLESS, kind: 'swift', target: {...COMMON.target, remote: 'swift'}} as const

export const WHOLE_TICKET: SwiftWholeTicket = {
  ...SWIFT,
  assemble: 'whole',
  put: `https://swift.example.com/v1/AUTH_test/inbox/a/disk.img?temp_url_sig=${SIGNATURE}&temp_url_expires=1795280400`,
  headers: {'content-type': 'application/octet-stream'},
}

const UNDER = 'https://swift.example.com/v1/AUTH_test/inbox_segments/a/disk.img/upload-1/'
const SIGNED = `?temp_url_sig=${SIGNATURE}&temp_url_expires=1795280400&temp_url_prefix=a%2Fdisk.img%2Fupload-1%2F`

export const OWNER_TICKET: SwiftPartsTicket = {
  ...SWIFT,
  assemble: 'owner',
  parts: {...PARTS, url: `${UNDER}{number}${SIGNED}`, container: 'inbox_segments', prefix: 'a/disk.img/upload-1/'},
  done: `${UNDER}done${SIGNED}`,
  head: `https://swift.example.com/v1/AUTH_test/inbox/a/disk.img?temp_url_sig=${SIGNATURE}`,
}

const {done: __, ...DONELESS} = OWNER_TICKET
export const OPEN_TICKET: SwiftPartsTicket = {
  ...DONELESS,
  assemble: 'open',
  parts: {...OWNER_TICKET.parts, partSize: 16 * MIB},
}

export const SAMPLES = [S3_TICKET, WHOLE_TICKET, OWNER_TICKET, OPEN_TICKET] as const
