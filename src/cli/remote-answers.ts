import {Failure} from '../core/failure.ts'
import {trimEndSlashes} from '../core/slashes.ts'
import {ask, askSecret, canAsk} from './ask.ts'
import type {RemoteFlags} from './remote-flags.ts'
import type {SecretSource} from './saved-remote.ts'

export type RemoteFlag = keyof RemoteFlags

/** Returns what the flag was given, or what the person answers. Fails `usage` where there is neither. */
export async function demandWord(flags: RemoteFlags, name: RemoteFlag, question: string): Promise<string> {
  const given = flags[name]
  if (typeof given === 'string') return checkWord(name, given)
  if (!canAsk()) throw missingFlag(name)
  for (;;) {
    const answer = await ask(question)
    if (answer !== '') return answer
  }
}

/** Returns where the secret is to be had, or the secret as the person types it. Fails `usage`. */
export async function demandSecret(flags: RemoteFlags, question: string): Promise<SecretSource> {
  const {'secret-env': env, 'credential-process': command} = flags
  if (command !== undefined) return {command: checkWord('credential-process', command)}
  if (env !== undefined) return {env: checkVariable('secret-env', env)}
  if (flags['secret-stdin'] !== true && !canAsk()) {
    throw new Failure('usage', 'No secret was given.', {
      suggestion: 'Give it by --secret-stdin, --secret-env NAME or --credential-process COMMAND; never as an argument.',
    })
  }
  const value = await askSecret(question)
  if (value === '') throw new Failure('usage', 'The secret is empty.')
  return {value}
}

/** Fails `usage` for what is no name of a variable. */
export function checkVariable(flag: RemoteFlag, name: string): string {
  if (/^[A-Za-z_]\w*$/u.test(name)) return name
  // It may be the secret itself: never to be shown.
  throw new Failure('usage', `--${flag}: that is not the name of a variable.`, {
    suggestion: 'Give the name of a variable that holds the secret, such as R2_SECRET; never the secret itself.',
  })
}

export function missingFlag(name: RemoteFlag, suggestion?: string): Failure {
  const details = suggestion === undefined ? {} : {suggestion}
  return new Failure('usage', `--${name} is missing, and there is no terminal to ask on.`, details)
}

export function checkWord(name: RemoteFlag, text: string): string {
  if (text.trim() !== '') return text
  throw new Failure('usage', `--${name} is empty.`)
}

/** Returns an address without slashes at its end. Fails `usage` for what is none, or has a secret in it. */
export function checkAddress(name: RemoteFlag, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/u.test(url.protocol)) {
    throw new Failure('usage', `--${name}: that is not an http or https address.`, {
      suggestion: 'Write it with its scheme, for example https://s3.example.com.',
    })
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new Failure('usage', `--${name}: an address has no user, password or query in it.`)
  }
  return trimEndSlashes(text)
}
