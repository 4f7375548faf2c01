import {accessDenied, at} from './fault-answers.ts'
import {type FaultProxy, type FaultProxyOptions, startFaultProxy} from './fault-proxy.ts'
import type {Operation} from './operations.ts'

/** What a key that may only `s3:PutObject` cannot do: every read. Abort is a right of its own on some stores. */
export const reads: readonly Operation[] = ['head', 'get', 'list', 'listParts', 'listUploads', 'bucket', 'buckets']

export interface PolicyProxyOptions extends FaultProxyOptions {
  /** Operations that get 403 AccessDenied (default: `reads`); the rest passes. */
  readonly deny?: readonly Operation[]
}

/** A store seen with a key of few rights, such as the put-only key of a CI; `log` tells what was tried. */
export async function startPolicyProxy({deny = reads, ...options}: PolicyProxyOptions): Promise<FaultProxy> {
  const proxy = await startFaultProxy(options)
  const refuse = () => {
    for (const operation of deny) proxy.inject({operation, fault: at(accessDenied(), 'headers'), times: Infinity})
  }
  refuse()
  return Object.create(proxy, {
    clear: {
      value() {
        proxy.clear()
        refuse()
      },
    },
  }) as FaultProxy
}
