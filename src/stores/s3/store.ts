import type {Wire} from '../../http/send.ts'
import {Failure} from '../../core/failure.ts'
import type {Findings} from '../findings.ts'
import type {S3Remote} from '../remote.ts'
import type {Probing, Store} from '../store.ts'
import type {Surroundings} from '../surroundings.ts'
import type {TicketStore} from '../ticket/ticket-store.ts'
import {createConnection} from './client.ts'
import type {S3Connection} from './client.ts'
import {createContainers} from './container.ts'
import {createControlPlane} from './control.ts'
import {chainCredentials, fetchedCredentials, staticCredentials} from './credentials.ts'
import type {CredentialSource} from './credentials.ts'
import {createLinks} from './links.ts'
import {createObjects} from './objects.ts'
import {readProfile} from './profile.ts'
import {findQuirks, SANDBOX} from './quirks.ts'
import {createTickets} from './ticket.ts'
import {createUpload} from './upload.ts'

export interface S3Needs {
  readonly wire: Wire
  readonly surroundings: Surroundings
  readonly findings: Findings
}

/** Opens an S3 remote. What is not given comes from the environment, then from the profile; the region may stay open. */
export async function openConnection(remote: S3Remote, {wire, surroundings, findings}: S3Needs): Promise<S3Connection> {
  const {env} = surroundings
  const profile = remote.profile ?? env['AWS_PROFILE']
  const isOurs = remote.keys !== undefined
  const given = {
    endpoint: remote.endpointUrl ?? (isOurs ? undefined : env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL']),
    region: remote.region ?? (isOurs ? undefined : env['AWS_REGION'] || env['AWS_DEFAULT_REGION']),
  }
  // The files are read only where they could say something that is still open.
  const isOpen = !isOurs && (given.endpoint === undefined || given.region === undefined)
  const saved = isOpen ? await readProfile(surroundings, profile) : {}
  const endpoint = checkEndpoint(given.endpoint ?? saved.endpointUrl)
  const region = checkRegion(given.region ?? saved.region)
  return createConnection({
    ...(endpoint === undefined ? {} : {endpoint}),
    ...(region === undefined ? {} : {region}),
    credentials: findCredentials(remote, surroundings),
    quirks: remote.isSandbox === true ? SANDBOX : findQuirks(endpoint),
    findings,
    wire,
  })
}

function findCredentials({keys, profile}: S3Remote, surroundings: Surroundings): CredentialSource {
  if (keys === undefined) return chainCredentials(surroundings, profile)
  return typeof keys === 'function' ? fetchedCredentials(keys) : staticCredentials(keys)
}

export async function createS3Store(
  remote: S3Remote,
  needs: S3Needs,
  isSdk = false,
): Promise<Store & TicketStore & Probing> {
  const connection = await openConnection(remote, needs)
  const objects = createObjects(connection)
  const links = createLinks(connection, objects.head)
  return {
    ...createUpload(connection, objects.head),
    ...(isSdk ? (await import('./engine-sdk.ts')).createSdkUpload(connection) : {}),
    ...objects,
    ...createContainers(connection, createControlPlane(connection)),
    ...links,
    ...createTickets(connection, links),
    probing: {open: async () => (await import('./probe.ts')).createProbe(connection)},
  }
}

function checkEndpoint(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined || endpoint === '') return undefined
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  // It is written down beside each upload, and S3 would not even use it.
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new Failure('config', `The endpoint at ${url.host} has a user or a password in it.`, {
      suggestion: 'Leave them out: S3 takes an access key, as in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    })
  }
  if (url !== undefined && /^https?:$/u.test(url.protocol)) return endpoint
  throw new Failure('config', `"${endpoint}" is not an endpoint.`, {
    suggestion: 'Write it with its scheme, for example https://s3.example.com.',
  })
}

/** It stands in every signature, between slashes. */
function checkRegion(region: string | undefined): string | undefined {
  if (region === undefined || /^[\w.-]{1,64}$/u.test(region)) return region
  throw new Failure('config', `"${region}" is not a region.`, {
    suggestion: 'Write it like eu-central-1, with --region or in AWS_REGION.',
  })
}
