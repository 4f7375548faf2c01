import type {PolicyLevel, Target} from '../store.ts'

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
/** Writes an IAM policy: what a person who uploads to the target needs, and nothing else. */
export function writeIamPolicy(
  {container, key}: Target,
  level: PolicyLevel,
  {isAws, region}: {readonly isAws: boolean; readonly region: string},
): {text: string; notes: readonly string[]} {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
  const bucket = `arn:${partition}:s3:::${container}`
  // A key that names one object is that object; all else is a prefix. What a key has of wildcards must be itself.
  const prefix = key.replaceAll(/[*?$]/gu, char => `\${${char}}`)
  const objects = `${bucket}/${prefix}${key === '' || key.endsWith('/') ? '*' : ''}`
  const statements = [
    // Creates and completes multipart uploads too.
    allow('SkyliftUpload', ['s3:PutObject'], objects),
    ...(level === 'upload'
      ? []
      : [allow('SkyliftResume', ['s3:ListMultipartUploadParts', 's3:AbortMultipartUpload'], objects)]),
    ...(level === 'all'
      ? [
          allow('SkyliftRead', ['s3:GetObject'], objects),
          {
            ...allow('SkyliftList', ['s3:ListBucket'], bucket),
            ...(key === '' ? {} : {Condition: {StringLike: {'s3:prefix': `${prefix}*`}}}),
          },
          allow('SkyliftPending', ['s3:ListBucketMultipartUploads'], bucket),
        ]
      : []),
  ]
  return {
    text: JSON.stringify({Version: '2012-10-17', Statement: statements}, null, 2),
    notes: [
      NEEDS[level],
      'With --sse aws:kms the key wants kms:GenerateDataKey and kms:Decrypt beside; --tag wants s3:PutObjectTagging, --acl s3:PutObjectAcl.',
      ...(isAws
        ? []
        : ['MinIO and Ceph take such documents; other stores have rights of their own that say the same.']),
    ],
  }
}

const NEEDS: Readonly<Record<PolicyLevel, string>> = {
  upload:
    'Enough to upload. After a break an upload begins anew, and parts that are left can only be dropped by somebody else: --rights resume.',
  resume: 'Enough to upload, to go on after a break, and to drop what is left.',
  all: 'Enough to upload, go on, drop, compare (verify), look for what is pending, and list.',
}

function allow(Sid: string, Action: readonly string[], Resource: string) {
  return {Sid, Effect: 'Allow', Action, Resource}
}
