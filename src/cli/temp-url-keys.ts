import {randomBytes} from 'node:crypto'
import {Args, Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {formatTarget, parseTarget} from '../core/target.ts'
import {hasTempUrlKeys} from '../stores/open.ts'
import type {Json, KeyStore, Store, Target, TempUrlKeys} from '../stores/store.ts'
import {askSecret} from './ask.ts'
import {formatTable} from './table.ts'

export type Slot = keyof TempUrlKeys

export const keyTargetArg = Args.string({
  description: 'the account (swift://) or one container of it (swift://inbox)',
  required: true,
  ignoreStdin: true,
})

/** Reads whose keys are meant: a remote is its account. Fails `usage` for an object. */
export function keyTarget(text: string): Target {
  const target = parseTarget(text)
  if (target.key === '') return target
  throw new Failure('usage', `"${text}" is an object, and keys belong to an account or a container.`, {
    suggestion: `Write ${target.remote}:// or ${formatTarget({...target, key: ''})}.`,
  })
}

/** Fails `unsupported` where temp URLs are signed with something else. */
export function requireKeys(store: Store, {remote}: Target): KeyStore {
  if (hasTempUrlKeys(store)) return store
  throw new Failure(
    'unsupported',
    `${remote}:// speaks S3, which has no Temp-URL keys: its access key signs temp URLs.`,
    {
      suggestion: 'To end temp URLs there, deactivate the access key that signed them.',
    },
  )
}

export const keyFlags = {
  'key-stdin': Flags.boolean({description: 'read the key from stdin, or ask for it', exclusive: ['key-env']}),
  'key-env': Flags.string({
    description: 'take the key from this variable of the environment',
    helpValue: 'NAME',
    exclusive: ['key-stdin'],
  }),
}

export interface KeyFlags {
  readonly 'key-stdin': boolean
  readonly 'key-env'?: string | undefined
}

/** Returns the key that the person gave, or a new random one. Fails `config`. */
export async function readKey(flags: KeyFlags): Promise<string> {
  if (flags['key-stdin']) return askSecret('The new key:')
  const name = flags['key-env']
  if (name === undefined) return randomBytes(32).toString('hex')
  const key = process.env[name]
  if (key) return key
  throw new Failure('config', `--key-env: ${name} is not set.`)
}

/** More than this nobody can try out who has one URL that the key signed. */
const SHORT = 16

/** What a person should know of a key, without the key. */
export function keyNotes(key: string): string[] {
  const other = process.env['OS_TEMP_URL_KEY']
  return [
    ...(key.length < SHORT
      ? ['The key is short: whoever holds one URL can find it out by trying, and then sign others.']
      : []),
    ...(other && other !== key
      ? ['OS_TEMP_URL_KEY is set to another key: temp-url and link go on signing with that one.']
      : []),
  ]
}

const SLOTS: readonly Slot[] = ['key', 'key2']

export function describeKeys(keys: TempUrlKeys, isRevealed: boolean): string {
  return formatTable(
    ['SLOT', 'KEY'],
    SLOTS.map(slot => [slot, keys[slot] === undefined ? 'none' : isRevealed ? keys[slot] : 'set']),
  )
}

export function keysToJson(keys: TempUrlKeys, isRevealed: boolean): Json {
  return Object.fromEntries(
    SLOTS.map(slot => {
      const value = keys[slot]
      return [slot, {isSet: value !== undefined, ...(isRevealed && value !== undefined ? {value} : {})}]
    }),
  )
}

/** `the account of swift://`, or the container. */
export function nameOwner(target: Target): string {
  return target.container === '' ? `the account of ${target.remote}://` : printable(formatTarget(target))
}
