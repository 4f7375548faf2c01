import {randomBytes, randomInt} from 'node:crypto'
import {join} from 'node:path'
import {Failure} from '../core/failure.ts'
import type {Identity} from './protocol/signing.ts'
import {readState, writeState} from './state-file.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export const SANDBOX_REGION = 'us-east-1'

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

function credentialsFile(folder: string): string {
  return join(folder, 'credentials.json')
}

/** Returns the credentials of a data folder, or undefined before its first use. Fails `config`. */
export async function readIdentity(folder: string): Promise<Identity | undefined> {
  const found = await readState<Credentials>(credentialsFile(folder))
  if (found === undefined) return undefined
  const {accessKeyId, secretAccessKey} = found
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string' || secretAccessKey.length < 20) {
    throw new Failure('config', `${credentialsFile(folder)} is damaged.`)
  }
  return {accessKeyId, secretAccessKey, region: SANDBOX_REGION}
}

/** Returns the credentials of a data folder; random ones are made on first use. */
export async function openIdentity(folder: string): Promise<Identity> {
  const known = await readIdentity(folder)
  if (known !== undefined) return known
  const tail = Array.from({length: 13}, () => LETTERS[randomInt(LETTERS.length)]).join('')
  const made = {accessKeyId: `SANDBOX${tail}`, secretAccessKey: randomBytes(30).toString('base64url')}
  await writeState(credentialsFile(folder), made)
  return {...made, region: SANDBOX_REGION}
}
