import {child, childText} from '../../core/xml.ts'
import type {XmlElement} from '../../core/xml.ts'
import type {Answer} from '../protocol/answer.ts'
import {xmlAnswer} from '../protocol/answer.ts'
import {parseCors} from '../protocol/cors.ts'
import {readXml} from '../protocol/documents.ts'
import {S3Error} from '../protocol/errors.ts'
import type {ErrorCode} from '../protocol/errors.ts'
import type {Handler, House, S3Request} from '../protocol/handler.ts'
import {parsePolicy} from '../protocol/policy.ts'
import {receiveText} from '../protocol/receive.ts'
import {changeBucket} from '../storage/buckets.ts'
import {readTagging} from './tagging.ts'

/** One document of a bucket that is kept and given back as it was sent. */
interface DocumentKind {
  readonly name: string
  /** The root element; absent for JSON. */
  readonly root?: string
  /** The answer where there is none: an error, or an empty document. */
  readonly missing?: ErrorCode
  readonly check?: (text: string, element: XmlElement | undefined, request: S3Request) => void
  readonly putStatus?: number
}

const KINDS: readonly DocumentKind[] = [
  {name: 'cors', root: 'CORSConfiguration', missing: 'NoSuchCORSConfiguration', check: text => parseCors(text)},
  {name: 'lifecycle', root: 'LifecycleConfiguration', missing: 'NoSuchLifecycleConfiguration', check: checkLifecycle},
  {
    name: 'encryption',
    root: 'ServerSideEncryptionConfiguration',
    missing: 'ServerSideEncryptionConfigurationNotFoundError',
    check: requireChild('Rule'),
  },
  {name: 'publicAccessBlock', root: 'PublicAccessBlockConfiguration', missing: 'NoSuchPublicAccessBlockConfiguration'},
  {
    name: 'ownershipControls',
    root: 'OwnershipControls',
    missing: 'OwnershipControlsNotFoundError',
    check: requireChild('Rule'),
  },
  {
    name: 'tagging',
    root: 'Tagging',
    missing: 'NoSuchTagSet',
    check: (_, element) => element && readTagging(element),
    putStatus: 204,
  },
  {name: 'versioning', root: 'VersioningConfiguration', check: checkVersioning},
  {
    name: 'policy',
    missing: 'NoSuchBucketPolicy',
    check: (text, _, request) => parsePolicy(text, request.bucket),
    putStatus: 204,
  },
]

/** The handlers of all documents, by the name of their sub-resource and the method. */
export const documentRoutes: Readonly<Record<string, {handle: Handler}>> = Object.fromEntries(
  KINDS.flatMap(kind => [
    [`GET bucket ${kind.name}`, {handle: (request: S3Request, house: House) => getDocument(kind, request, house)}],
    [
      `PUT bucket ${kind.name}`,
      {handle: async (request: S3Request, house: House) => putDocument(kind, request, house)},
    ],
    ...(kind.name === 'versioning'
      ? []
      : [
          [
            `DELETE bucket ${kind.name}`,
            {handle: async (request: S3Request, house: House) => deleteDocument(kind, request, house)},
          ] as const,
        ]),
  ]),
)

function getDocument(kind: DocumentKind, request: S3Request, house: House): Answer {
  const text = house.storage.bucket(request.bucket).record.documents[kind.name]
  if (text === undefined) {
    if (kind.missing === undefined) return xmlAnswer(kind.root ?? '', [])
    throw new S3Error(kind.missing, undefined, {BucketName: request.bucket})
  }
  return {
    status: 200,
    headers: {'content-type': kind.root === undefined ? 'application/json' : 'application/xml'},
    body: text,
  }
}

async function putDocument(kind: DocumentKind, request: S3Request, house: House): Promise<Answer> {
  house.storage.bucket(request.bucket)
  const text = await receiveText(request)
  kind.check?.(text, kind.root === undefined ? undefined : readXml(text, kind.root), request)
  if (kind.check === undefined && kind.root !== undefined) readXml(text, kind.root)
  await changeBucket(house.storage, request.bucket, record => ({
    ...record,
    documents: {...record.documents, [kind.name]: text},
  }))
  return {status: kind.putStatus ?? 200}
}

async function deleteDocument(kind: DocumentKind, request: S3Request, house: House): Promise<Answer> {
  await changeBucket(house.storage, request.bucket, record => {
    const {[kind.name]: _, ...documents} = record.documents
    return {...record, documents}
  })
  return {status: 204}
}

function requireChild(name: string): NonNullable<DocumentKind['check']> {
  return (_, element) => {
    if (child(element, name) === undefined) throw new S3Error('MalformedXML')
  }
}

function checkLifecycle(_: string, element: XmlElement | undefined): void {
  const rules = element?.children.filter(each => each.name === 'Rule') ?? []
  const isWhole = (rule: XmlElement) => /^(?:Enabled|Disabled)$/u.test(childText(rule, 'Status')?.trim() ?? '')
  if (rules.length === 0 || rules.length > 1000 || !rules.every(isWhole)) throw new S3Error('MalformedXML')
}

function checkVersioning(_: string, element: XmlElement | undefined): void {
  if (!/^(?:Enabled|Suspended)$/u.test(childText(element, 'Status')?.trim() ?? '')) throw new S3Error('MalformedXML')
}
