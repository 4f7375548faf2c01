import {join} from 'node:path'
import {readCertificates} from '../../http/agents.ts'
import type {Agents} from '../../http/agents.ts'
import type {Surroundings} from '../surroundings.ts'

/** Which servers of an account are believed, where its own settings say so. */
export interface CloudTrust {
  /** PEM file. */
  readonly caFile?: string
  /** `verify: false`. */
  readonly isUnverified?: boolean
}

/** Makes connections believe what an account's settings believe, beside all else. Fails `config`. */
export function trustCloud(agents: Agents, {caFile, isUnverified}: CloudTrust, {env, home}: Surroundings): void {
  if (caFile === undefined && isUnverified !== true) return
  const nodeCerts = env['NODE_EXTRA_CA_CERTS'] || undefined
  // Node forgets its own extra certificates where roots are given.
  const files = caFile === undefined ? [] : [caFile, ...(nodeCerts === undefined ? [] : [nodeCerts])]
  agents.trust({
    extraCa: files.map(file => readCertificates(file.startsWith('~/') ? join(home, file.slice(2)) : file)),
    ...(isUnverified === true ? {verifyTls: false} : {}),
  })
}
