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
  return findSavedRemote(name, flags, config)
}

/** Nobody can save a remote under one of these names. */
export const RESERVED = ['s3', 'swift', 'sandbox', 'http', 'https', 'ticket', 'file']

async function findSavedRemote(name: string, flags: ConnectionFlags, config: Config): Promise<Remote> {
  const {readSavedRemotes} = await import('./saved-remotes.ts')
  const entries = await readSavedRemotes(config)
  if (!Object.hasOwn(entries, name)) throw unknownRemote(name, Object.keys(entries))
  const [{readSavedRemote}, {connectSaved}] = await Promise.all([
    import('./saved-remote.ts'),
    import('./saved-connection.ts'),
  ])
  return connectSaved(name, readSavedRemote(name, entries[name]), flags, process.env)
}

export function unknownRemote(name: string, saved: readonly string[]): Failure {
  const yours = saved.length === 0 ? 'you have saved none' : `yours are ${saved.map(each => `${each}://`).join(', ')}`
  return new Failure('config', `There is no remote "${name}".`, {
    suggestion: `Built in are s3://, swift:// and sandbox://; ${yours}. A target is written REMOTE://container/key.`,
  })
}
