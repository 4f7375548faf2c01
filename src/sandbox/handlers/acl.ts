import {child, childText} from '../../core/xml.ts'
import type {XmlElement} from '../../core/xml.ts'
import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {readAcl, refuseHeaders} from '../protocol/attributes.ts'
import {readXml} from '../protocol/documents.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {receiveText} from '../protocol/receive.ts'
import {writeXml} from '../protocol/xml-write.ts'
import {changeBucket} from '../storage/buckets.ts'
import {changeObject, findObject} from '../storage/objects.ts'

const GROUPS = 'http://acs.amazonaws.com/groups/global/'
const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
/** The grants of a canned ACL beside the owner's own. */
const GRANTS: Readonly<Record<string, readonly (readonly [group: string, permission: string])[]>> = {
  'public-read': [['AllUsers', 'READ']],
  'public-read-write': [
    ['AllUsers', 'READ'],
    ['AllUsers', 'WRITE'],
  ],
  'authenticated-read': [['AuthenticatedUsers', 'READ']],
}

export function getAcl(request: S3Request, house: House): Answer {
  const bucket = house.storage.bucket(request.bucket)
  const acl = request.key === '' ? bucket.record.acl : findObject(bucket, request.key).acl
  const {id, name} = house.owner
  const owner = [
    ['ID', id],
    ['DisplayName', name],
  ] as const
  // The type of a grantee is an attribute, which the writer of elements does not have.
  const grant = (type: string, inner: string, permission: string) =>
    `<Grant><Grantee ${XSI} xsi:type="${type}">${inner}</Grantee><Permission>${permission}</Permission></Grant>`
  const grants = [
    grant('CanonicalUser', `<ID>${id}</ID><DisplayName>${name}</DisplayName>`, 'FULL_CONTROL'),
    ...(GRANTS[acl] ?? []).map(([group, permission]) => grant('Group', `<URI>${GROUPS}${group}</URI>`, permission)),
  ]
  const body = writeXml('AccessControlPolicy', [
    ['Owner', owner],
    ['AccessControlList', ''],
  ]).replace('<AccessControlList></AccessControlList>', `<AccessControlList>${grants.join('')}</AccessControlList>`)
  return {...xmlAnswer('AccessControlPolicy', []), body}
}

export async function putAcl(request: S3Request, house: House): Promise<Answer> {
  const bucket = house.storage.bucket(request.bucket)
  refuseHeaders(request.headers)
  const text = await receiveText(request)
  if (text.trim() !== '' && request.headers.has('x-amz-acl'))
    throw new S3Error('InvalidRequest', 'Specify an ACL in the header or in the body, not both.')
  const acl = text.trim() === '' ? readAcl(request.headers) : recogniseAcl(readXml(text, 'AccessControlPolicy'), house)
  if (request.key === '') await changeBucket(house.storage, request.bucket, record => ({...record, acl}))
  else await changeObject(house.storage, bucket, request.key, record => ({...record, acl}))
  return {status: 200}
}

// Only what a canned ACL can say is kept; a grant to anybody else is refused rather than forgotten.
function recogniseAcl(root: XmlElement, house: House): string {
  const grants = (child(root, 'AccessControlList')?.children ?? []).map(each => {
    const grantee = child(each, 'Grantee')
    const [uri, id] = [childText(grantee, 'URI'), childText(grantee, 'ID')]
    return id === house.owner.id ? '' : `${uri?.replace(GROUPS, '') ?? id ?? '?'} ${childText(each, 'Permission')}`
  })
  const asked = [...new Set(grants.filter(each => each !== ''))].toSorted().join(',')
  if (asked === '') return 'private'
  const known = Object.entries(GRANTS).find(([, pairs]) => pairs.map(pair => pair.join(' ')).join(',') === asked)
  if (known === undefined) throw new S3Error('NotImplemented', 'The sandbox keeps only what a canned ACL can say.')
  return known[0]
}
