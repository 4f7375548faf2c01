import {child, parseXml} from '../../core/xml.ts'
import type {Bucket} from '../storage/storage.ts'
import {allowsEveryone} from './policy.ts'

function blocks(bucket: Bucket, setting: string): boolean {
  const text = bucket.record.documents['publicAccessBlock']
  return text !== undefined && child(parseXml(text), setting)?.text.trim() === 'true'
}

/** True when somebody without credentials may read that key: by the object's ACL, or by the bucket's policy. */
export function isPublicToRead(bucket: Bucket, key: string): boolean {
  const acl = bucket.objects.get(key)?.acl ?? 'private'
  return (
    (acl.startsWith('public-read') && !blocks(bucket, 'IgnorePublicAcls')) || isAllowed(bucket, 's3:GetObject', key)
  )
}

/** True when somebody without credentials may list: by the bucket's ACL, or by its policy. */
export function isPublicToList(bucket: Bucket): boolean {
  const {acl} = bucket.record
  return (acl.startsWith('public-read') && !blocks(bucket, 'IgnorePublicAcls')) || isAllowed(bucket, 's3:ListBucket')
}

function isAllowed(bucket: Bucket, action: string, key?: string): boolean {
  const {documents, name} = bucket.record
  const {policy} = documents
  return policy !== undefined && !blocks(bucket, 'RestrictPublicBuckets') && allowsEveryone(policy, name, action, key)
}
