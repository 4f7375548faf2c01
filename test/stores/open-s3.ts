import {createAgents} from '../../src/http/agents.ts'
import {memoryFindings} from '../../src/stores/findings.ts'
import {withLimit} from '../../src/stores/layers/limit.ts'
import {withRetry} from '../../src/stores/layers/retry.ts'
import {createS3Store} from '../../src/stores/s3/store.ts'
import type {Store} from '../../src/stores/store.ts'

export interface S3Access {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface OpenedS3 {
  readonly store: Store
  /** Ends its connections. */
  close(): void
}

/** Opens an S3 store as a command does, with its layers on and nothing of this machine's environment. */
export async function openS3(access: S3Access, {isSandbox = false} = {}): Promise<OpenedS3> {
  const {endpoint: endpointUrl, region, accessKeyId, secretAccessKey} = access
  const agents = createAgents()
  const driver = await createS3Store(
    {provider: 's3', name: 'test', endpointUrl, region, keys: {accessKeyId, secretAccessKey}, isSandbox},
    {
      wire: {agents},
      surroundings: {env: {}, home: '/nonexistent'},
      findings: memoryFindings(),
    },
  )
  return {store: withRetry(withLimit(driver, 8), {retryFor: 5000}), close: () => agents.close()}
}
