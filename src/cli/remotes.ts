import type {Config} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import type {Remote, SwiftInterface} from '../stores/remote.ts'
import type {ConnectionFlags} from './flags.ts'

/** Finds the connection that a remote's name stands for. Fails `config` for a name that nobody saved. */
export async function findRemote(name: string, flags: ConnectionFlags, config: Config): Promise<Remote> {
  if (name === 'sandbox') {
    const {reachSandbox} = await import('./sandbox.ts')
    const {endpoint, accessKeyId, secretAccessKey, region} = await reachSandbox(config)
    return {provider: 's3', name, endpointUrl: endpoint, region, keys: {accessKeyId, secretAccessKey}, isSandbox: true}
  }
  if (name === 's3') {
    const {'endpoint-url': endpointUrl, region, profile} = flags
    return {
      provider: 's3',
      name,
      ...(endpointUrl === undefined ? {} : {endpointUrl}),
      ...(region === undefined ? {} : {region}),
      ...(profile === undefined ? {} : {profile}),
    }
  }
  if (name === 'swift') {
    const {'os-cloud': cloud, region, interface: wished, 'segment-container': segmentContainer} = flags
    return {
      provider: 'swift',
      name,
      ...(cloud === undefined ? {} : {cloud}),
      ...(region === undefined ? {} : {region}),
      ...(wished === undefined ? {} : {interface: wished as SwiftInterface}),
      ...(segmentContainer === undefined ? {} : {segmentContainer}),
    }
  }
  throw new Failure('config', `There is no remote "${name}".`, {
    suggestion: 'Built in are s3://, swift:// and sandbox://; a target is written REMOTE://container/key.',
  })
}
