import {parseDate} from '../../core/dates.ts'
import {Failure} from '../../core/failure.ts'
import type {Surroundings} from '../surroundings.ts'
import {loadCredentialChain} from './sdk.ts'
import type {Credentials} from './sign.ts'

/** Where credentials come from; `renew` goes past every cache. What is known comes without a promise. Fails `auth`. */
export type CredentialSource = (renew: boolean) => Credentials | Promise<Credentials>

export function staticCredentials(credentials: Credentials): CredentialSource {
  return () => credentials
}

/** Kept until shortly before they end. What the fetching fails passes. */
export function fetchedCredentials(obtain: CredentialSource): CredentialSource {
  let known: Promise<Credentials> | undefined
  return async renew => {
    let current = known
    if (renew || current === undefined || (await endsSoon(current))) {
      // Meanwhile another may have fetched them.
      if (known === undefined || known === current) known = (async () => obtain(renew))()
      current = known
    }
    try {
      return await current
    } catch (error) {
      // Who came in between has failed with it; the next tries again.
      if (known === current) known = undefined
      throw error
    }
  }
}

const HOW =
  'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (or --profile), or sign in with: aws sso login.'

/**
 * The AWS chain: environment, profile, SSO, web identity, container, instance. Keys in the environment are taken as
 * they are, without loading the chain.
 */
export function chainCredentials(surroundings: Surroundings, profile: string | undefined): CredentialSource {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_CREDENTIAL_EXPIRATION: ends,
  } = surroundings.env
  if (profile === undefined && accessKeyId && secretAccessKey) {
    const keys = {accessKeyId, secretAccessKey}
    if (!sessionToken) return staticCredentials(keys)
    const expiration = parseDate(ends)
    return staticCredentials({...keys, sessionToken, ...(expiration === undefined ? {} : {expiration})})
  }
  const fetched = fetchedCredentials(renew => resolveChain(profile, renew))
  return async renew => {
    try {
      return await fetched(renew)
    } catch (error) {
      throw asAuthFailure(error, profile)
    }
  }
}

const nothing = (): void => {}
/** Without it the chain warns on the console that a profile and keys are both there, which a person may well want. */
const SILENT = {trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing}

async function resolveChain(profile: string | undefined, ignoreCache: boolean): Promise<Credentials> {
  const {defaultProvider} = await loadCredentialChain()
  // A new provider reads the files again: what an outside program renewed meanwhile is found.
  const provide = defaultProvider({...(profile === undefined ? {} : {profile}), ignoreCache, logger: SILENT})
  const {accessKeyId, secretAccessKey, sessionToken, expiration} = await provide()
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : {sessionToken}),
    ...(expiration === undefined ? {} : {expiration}),
  }
}

/** Fetched anew a while before they end, so that no part is lost to it. */
const MARGIN = 5 * 60_000

async function endsSoon(known: Promise<Credentials>): Promise<boolean> {
  const {expiration} = await known.catch((): Partial<Credentials> => ({}))
  return expiration !== undefined && expiration.getTime() - Date.now() < MARGIN
}

function asAuthFailure(error: unknown, profile: string | undefined): Failure {
  const {name, message} = error as Error
  if (profile !== undefined && /could not be found|not found|could not load/iu.test(message)) {
    return new Failure('auth', `There are no credentials in the profile "${profile}".`, {suggestion: HOW, cause: error})
  }
  if (name === 'CredentialsProviderError' && /could not load/iu.test(message)) {
    return new Failure('auth', 'No credentials were found.', {suggestion: HOW, cause: error})
  }
  const words = message.split('\n', 1)[0]?.replace(/\.$/u, '')
  return new Failure('auth', `The credentials could not be fetched: ${words}.`, {suggestion: HOW, cause: error})
}
