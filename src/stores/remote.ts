/** A connection by name: built in, or saved by the person. */
export interface S3Remote {
  readonly provider: 's3'
  readonly name: string
  /** Absent: AWS itself. */
  readonly endpointUrl?: string
  readonly region?: string
  /** AWS profile. */
  readonly profile?: string
  /** Given where the remote has keys of its own; else the AWS chain. */
  readonly keys?: {readonly accessKeyId: string; readonly secretAccessKey: string}
  /** Our own embedded store. */
  readonly isSandbox?: boolean
}

export type Remote = S3Remote
