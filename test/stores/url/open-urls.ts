import {createAgents} from '../../../src/http/agents.ts'
import {openUrl, readSignedUrl} from '../../../src/stores/open.ts'
import type {GivenUrl} from '../../../src/stores/open.ts'
import type {
  Call,
  LinkStore,
  ObjectOptions,
  Store,
  StoredObject,
  Target,
  TempUrlOptions,
} from '../../../src/stores/store.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {ContractStore} from '../contract/bench.ts'

const HOUR = 3_600_000

/** Uploads as somebody does who was given this and nothing else: no credentials, no settings. `name`: behind a prefix. */
export async function putByUrl(
  given: GivenUrl,
  bytes: Uint8Array | string,
  {options = {}, name = '', call = {signal: new AbortController().signal}}: PutOptions = {},
): Promise<StoredObject> {
  const agents = createAgents()
  try {
    const url = await readSignedUrl(given, options)
    const store = await openUrl(url, {wire: {agents}, concurrency: 1, retry: {retryFor: 2000, random: () => 0}})
    const target = {...url.target, key: url.target.key + name}
    return await store.putWhole(target, bufferBody(Buffer.from(bytes)), options, call)
  } finally {
    agents.close()
  }
}

interface PutOptions {
  readonly options?: ObjectOptions
  readonly name?: string
  readonly call?: Call
}

/** How the owner signs for one object. */
export type Mint = (target: Target, options: ObjectOptions, call: Call) => Promise<{given: GivenUrl; name?: string}>

/** A URL for just this object, with what shall stand beside its bytes signed into it. */
export function mintPut(owner: LinkStore, more: Partial<TempUrlOptions> = {}): Mint {
  return async (target, {contentType, metadata}, call) => ({
    given: await owner.tempUrl(
      target,
      {
        method: 'PUT',
        expiresIn: HOUR,
        ...(contentType === undefined ? {} : {contentType}),
        ...(metadata === undefined ? {} : {metadata}),
        ...more,
      },
      call,
    ),
  })
}

/** Swift: one URL for the whole container; the key is left to whoever has it. */
export function mintPrefix(owner: LinkStore): Mint {
  return async (target, _, call) => {
    const options = {method: 'PUT', expiresIn: HOUR, isPrefix: true} as const
    const {url} = await owner.tempUrl({...target, key: ''}, options, call)
    return {given: {url}, name: target.key}
  }
}

/** A store whose every upload goes by a URL of its own; what a URL has no verb for is the owner's. */
export function storeOfUrls(owner: Store, mint: Mint): {store: ContractStore; close(): void} {
  const agents = createAgents()
  const store: ContractStore = {
    ...owner,
    async putWhole(target, body, options, call) {
      call.signal.throwIfAborted()
      const {given, name = ''} = await mint(target, options, call)
      const url = await readSignedUrl(given, options)
      const opened = await openUrl(url, {wire: {agents}, concurrency: 8, retry: {retryFor: 5000}})
      const place = {...url.target, key: url.target.key + name}
      return {...(await opened.putWhole(place, body, options, call)), target}
    },
  }
  return {store, close: () => agents.close()}
}
