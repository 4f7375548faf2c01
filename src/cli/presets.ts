/** What is known of one provider: where it is, and what a person should know. Holes in addresses are filled by `remote add`. */
export interface Preset {
  readonly title: string
  readonly provider: 's3' | 'swift'
  /** With {region} and {account}; absent where it is the person's own, or AWS. */
  readonly endpointUrl?: string
  /** Where to sign in (Swift). */
  readonly authUrl?: string
  readonly authMethod?: 'v1' | 'v3-password' | 'api-key'
  /** What must be said beside the keys. */
  readonly needs: readonly ('region' | 'account' | 'endpoint-url' | 'auth-url')[]
  /** Taken where none is given. */
  readonly region?: string
  /** Signed with this one, whatever the region in the address. */
  readonly signingRegion?: string
  readonly regionsLike?: string
  /** How the store strays from S3 or Swift; what the driver does about it stands in its quirks. */
  readonly quirks: string
  readonly tried: string
}

const UNTRIED = 'Not tried against the service itself: made from its documentation.'

/** Sources are named on the pages docs/s3.md, r2.md, b2.md, minio.md, ceph.md. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  aws: {
    title: 'Amazon S3',
    provider: 's3',
    needs: [],
    regionsLike: 'eu-central-1',
    quirks: 'The region of a container is found where none is given.',
    tried: UNTRIED,
  },
  r2: {
    title: 'Cloudflare R2',
    provider: 's3',
    endpointUrl: 'https://{account}.r2.cloudflarestorage.com',
    needs: ['account'],
    region: 'auto',
    quirks:
      'All parts but the last must have one size, which Skylift does anyway. A bucket of a jurisdiction has an endpoint of its own.',
    tried: UNTRIED,
  },
  b2: {
    title: 'Backblaze B2',
    provider: 's3',
    endpointUrl: 'https://s3.{region}.backblazeb2.com',
    needs: ['region'],
    regionsLike: 'us-west-004',
    quirks: 'The access key ID is the keyID of an application key; the master key does not work with the S3 API.',
    tried: UNTRIED,
  },
  minio: {
    title: 'MinIO',
    provider: 's3',
    needs: ['endpoint-url'],
    region: 'us-east-1',
    quirks:
      'CORS is a setting of the whole server (MINIO_API_CORS_ALLOW_ORIGIN, * unless set); only AIStor has rules of a bucket.',
    tried: 'Not tried against MinIO itself; the S3 API of OpenStack Swift and our own sandbox were.',
  },
  ceph: {
    title: 'Ceph (RADOS gateway)',
    provider: 's3',
    needs: ['endpoint-url'],
    region: 'us-east-1',
    quirks:
      'The region is not heeded unless the gateway has zone groups. The Swift API of the gateway serves too: swift, sign-in v1 at /auth.',
    tried: 'Tried against a gateway of Ceph 16.2.',
  },
  wasabi: {
    title: 'Wasabi',
    provider: 's3',
    endpointUrl: 'https://s3.{region}.wasabisys.com',
    needs: [],
    region: 'us-east-1',
    regionsLike: 'eu-central-1',
    quirks: 'Objects are paid for 90 days at least, however early they are deleted.',
    tried: UNTRIED,
  },
  digitalocean: {
    title: 'DigitalOcean Spaces',
    provider: 's3',
    endpointUrl: 'https://{region}.digitaloceanspaces.com',
    needs: ['region'],
    signingRegion: 'us-east-1',
    regionsLike: 'fra1',
    quirks: 'A container is called a Space.',
    tried: UNTRIED,
  },
  gcs: {
    title: 'Google Cloud Storage (HMAC keys)',
    provider: 's3',
    endpointUrl: 'https://storage.googleapis.com',
    needs: [],
    region: 'auto',
    quirks: 'Only with HMAC keys, in its XML API. CORS is set with gcloud: its document is not that of S3.',
    tried: UNTRIED,
  },
  scaleway: {
    title: 'Scaleway Object Storage',
    provider: 's3',
    endpointUrl: 'https://s3.{region}.scw.cloud',
    needs: [],
    region: 'fr-par',
    regionsLike: 'nl-ams',
    quirks: 'An upload has 1,000 parts at most.',
    tried: UNTRIED,
  },
  'ovh-s3': {
    title: 'OVHcloud Object Storage, S3 API',
    provider: 's3',
    endpointUrl: 'https://s3.{region}.io.cloud.ovh.net',
    needs: ['region'],
    regionsLike: 'gra',
    quirks: 'The region is written in lower case here, unlike in the Swift API.',
    tried: UNTRIED,
  },
  ovh: {
    title: 'OVHcloud Object Storage, Swift API',
    provider: 'swift',
    authUrl: 'https://auth.cloud.ovh.net/v3',
    authMethod: 'v3-password',
    needs: ['region'],
    regionsLike: 'GRA',
    quirks: 'User and project are those of the OpenStack user (openrc.sh), not of the OVH account.',
    tried: 'Not tried against OVHcloud itself; a Keystone v3 and Swift of our own were.',
  },
  rackspace: {
    title: 'Rackspace Cloud Files',
    provider: 'swift',
    authUrl: 'https://identity.api.rackspacecloud.com/v2.0',
    authMethod: 'api-key',
    needs: ['region'],
    regionsLike: 'IAD',
    quirks: 'Signs in with an API key, not with the password.',
    tried: 'Not tried against Rackspace itself; an OpenStack Swift of our own was.',
  },
}

export const PRESET_NAMES = Object.keys(PRESETS)

/** Returns the preset of that name; undefined for none. */
export function findPreset(name: string | undefined): Preset | undefined {
  return name !== undefined && Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined
}
