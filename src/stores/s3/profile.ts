import {loadSharedConfigFiles} from '@smithy/core/config'
import type {Surroundings} from '../surroundings.ts'

export interface ProfileSettings {
  readonly region?: string
  readonly endpointUrl?: string
  readonly caBundle?: string
}

/** Reads what the AWS config file says of a profile; a file that is missing says nothing. */
export async function readProfile(surroundings: Surroundings, profile: string | undefined): Promise<ProfileSettings> {
  const name = profile ?? surroundings.env['AWS_PROFILE'] ?? 'default'
  const {configFile, credentialsFile} = await loadSharedConfigFiles({ignoreCache: true}).catch(() => ({
    configFile: {} as Record<string, Record<string, string>>,
    credentialsFile: {} as Record<string, Record<string, string>>,
  }))
  const section: Record<string, string | undefined> = {...credentialsFile[name], ...configFile[name]}
  const service = section['services'] === undefined ? undefined : configFile[`services.${section['services']}`]
  const endpointUrl = service?.['s3.endpoint_url'] ?? section['endpoint_url']
  const {region, ca_bundle: caBundle} = section
  return {
    ...(region === undefined ? {} : {region}),
    ...(endpointUrl === undefined ? {} : {endpointUrl}),
    ...(caBundle === undefined ? {} : {caBundle}),
  }
}
