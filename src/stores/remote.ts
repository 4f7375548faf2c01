/** Keys of S3; those that end say when. */
export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** A connection by name: built in, or saved by the person. */
export interface S3Remote {
  readonly provider: 's3'
  readonly name: string
  /** Absent: AWS itself. */
  readonly endpointUrl?: string
  readonly region?: string
  /** AWS profile. */
  readonly profile?: string
  /** Given where the remote has keys of its own, or a way to fetch them; else the AWS chain. */
  readonly keys?: S3Keys | (() => S3Keys | Promise<S3Keys>)
  /** Our own embedded store. */
  readonly isSandbox?: boolean
}

export type SwiftInterface = 'public' | 'internal' | 'admin'

/** The project of a Keystone sign-in; domains count for names only, `default` where none is said. */
export interface SwiftProject {
  readonly projectId?: string
  readonly projectName?: string
  readonly projectDomainId?: string
  readonly projectDomainName?: string
}

export interface SwiftUser {
  readonly userId?: string
  readonly username?: string
  readonly userDomainId?: string
  readonly userDomainName?: string
}

/** One way to sign in to Swift, with all that it needs. */
export type SwiftAuth =
  /** TempAuth, swauth, Ceph. */
  | {readonly method: 'v1'; readonly authUrl: string; readonly user: string; readonly key: string}
  | {
      readonly method: 'v2-password'
      readonly authUrl: string
      readonly username: string
      readonly password: string
      readonly projectId?: string
      readonly projectName?: string
    }
  /** Rackspace. */
  | {readonly method: 'api-key'; readonly authUrl: string; readonly username: string; readonly apiKey: string}
  | ({readonly method: 'v3-password'; readonly authUrl: string; readonly password: string} & SwiftUser & SwiftProject)
  | ({readonly method: 'v3-token'; readonly authUrl: string; readonly token: string} & SwiftProject)
  | ({
      readonly method: 'application-credential'
      readonly authUrl: string
      readonly secret: string
      readonly id?: string
      /** With a user, instead of `id`. */
      readonly credentialName?: string
    } & SwiftUser)
  /** Signed in already; without a token only what is signed by a Temp-URL key can be done. */
  | {readonly method: 'storage-url'; readonly storageUrl: string; readonly token?: string}

export interface SwiftRemote {
  readonly provider: 'swift'
  readonly name: string
  /** Absent: from `cloud`, or the environment. */
  readonly auth?: SwiftAuth
  /** A cloud of clouds.yaml. */
  readonly cloud?: string
  readonly region?: string
  readonly interface?: SwiftInterface
  /** Instead of what the sign-in says. */
  readonly storageUrl?: string
  /** Absent: `<container>_segments`. */
  readonly segmentContainer?: string
  /** Absent: read from the account, then from the container. */
  readonly tempUrlKey?: string
}

export type Remote = S3Remote | SwiftRemote
