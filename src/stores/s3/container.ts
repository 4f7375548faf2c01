import type {BucketLocationConstraint} from '@aws-sdk/client-s3'
import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, ContainerInfo, ContainerOptions, ContainerStore, Target} from '../store.ts'
import {tryPage} from '../try-page.ts'
import {createAsk} from './ask.ts'
import type {Ask, Place} from './ask.ts'
import type {S3Connection} from './client.ts'
import {showContainer} from './container-details.ts'
import {applySettings, checkOptions} from './container-settings.ts'
import {clientConfig} from './control.ts'
import type {ControlPlane} from './control.ts'
import {addCors, clearCors, getCors, setCors} from './cors.ts'

/** What a container looks like before it is made; `unknown` where these credentials may not look. */
type Before = {readonly state: 'absent' | 'unknown'} | {readonly state: 'there'; readonly region?: string}

/** Makes the container verbs of S3. */
export function createContainers(connection: S3Connection, control: ControlPlane): ContainerStore {
  const askFor = (target: Target, call: Call): Ask => createAsk(control, target, call)
  const placeOf = (target: Target, call: Call): Place => ({connection, ask: askFor(target, call), target, call})
  /** Made by this process, its settings not yet applied: when it is tried again, it is still new. */
  const made = new Set<string>()

  async function make(target: Target, {region}: ContainerOptions, call: Call): Promise<void> {
    const {container: Bucket} = target
    const ask = askFor(target, call)
    const identity = await connection.identity(Bucket)
    // AWS makes a container only in the region of the endpoint that is asked.
    const isElsewhere = connection.settings.endpoint === undefined && region !== undefined && region !== identity.region
    // The oldest region is the one that must not be named.
    const configuration = region === undefined || region === 'us-east-1' ? {} : constrainTo(region)
    await ask(async (send, sdk) => {
      const command = new sdk.CreateBucketCommand({Bucket, ...configuration})
      if (!isElsewhere) return send(command)
      const client = new sdk.S3Client(clientConfig(connection, {...identity, region}))
      return client.send(command, {abortSignal: call.signal})
    })
  }

  /** Fails `exists` where the container is somebody else's; returns whether it is new. */
  async function ensure(target: Target, options: ContainerOptions, before: Before, call: Call): Promise<boolean> {
    const {container} = target
    try {
      await make(target, options, call)
      // Some stores answer 200 for what was yours already.
      if (before.state !== 'there') made.add(container)
    } catch (error) {
      const {providerCode = ''} = isFailure(error) ? error.context : {}
      if (/LocationConstraint/u.test(providerCode) && isFailure(error)) throw noRegion(error, options.region)
      const isOurs =
        providerCode === 'BucketAlreadyOwnedByYou' ||
        (providerCode === 'BucketAlreadyExists' && (await isListed(container, before, call)))
      if (!isOurs) throw error
    }
    return made.has(container)
  }

  /** AWS says whose a name is; other stores say "already exists" of your own too, and their list of yours settles it. */
  async function isListed(container: string, before: Before, call: Call): Promise<boolean> {
    if (connection.settings.endpoint === undefined) return false
    try {
      for await (const {name} of listContainers(call)) if (name === container) return true
      return false
    } catch (error) {
      if (!isFailure(error, 'forbidden', 'unsupported')) throw error
      return before.state === 'there'
    }
  }

  async function look(target: Target, call: Call): Promise<Before> {
    const ask = askFor(target, call)
    try {
      const {BucketRegion} = await ask((send, sdk) => send(new sdk.HeadBucketCommand({Bucket: target.container})))
      return {state: 'there', ...(BucketRegion === undefined ? {} : {region: BucketRegion})}
    } catch (error) {
      if (isFailure(error, 'not-found')) return {state: 'absent'}
      if (isFailure(error, 'forbidden', 'usage', 'unsupported')) return {state: 'unknown'}
      throw error
    }
  }

  async function* listContainers(call: Call): AsyncIterable<ContainerInfo> {
    const ask = askFor({remote: '', container: '', key: ''}, call)
    for (let token: string | undefined; ;) {
      const input = token === undefined ? {} : {ContinuationToken: token}
      const {Buckets = [], ContinuationToken: next} = await tryPage(call, () =>
        ask((send, sdk) => send(new sdk.ListBucketsCommand(input))),
      )
      for (const {Name: name = '', CreationDate: created} of Buckets) {
        yield {name, ...(created === undefined ? {} : {created})}
      }
      if (!next || next === token) return
      token = next
    }
  }

  return {
    async createContainer(target, options, call) {
      checkOptions(options)
      const before = await look(target, call)
      const created = await ensure(target, options, before, call)
      const {region = (await connection.identity(target.container)).region} = options
      const notes = await applySettings({...placeOf(target, call), region, created}, options)
      made.delete(target.container)
      return {created, notes: [...regionNotes(before, options), ...notes]}
    },

    listContainers,
    showContainer: (target, call) => showContainer(placeOf(target, call)),

    async deleteContainer(target, call) {
      const ask = askFor(target, call)
      try {
        await ask((send, sdk) => send(new sdk.DeleteBucketCommand({Bucket: target.container})))
      } catch (error) {
        if (!isFailure(error, 'exists')) throw error
        throw new Failure('exists', error.message, {
          context: error.context,
          cause: error,
          suggestion: 'Delete its objects first, with -r. Old versions and unfinished uploads count too.',
        })
      }
    },

    getCors: (target, call) => getCors(placeOf(target, call)),
    setCors: (target, rules, call) => setCors(placeOf(target, call), rules),
    addCors: (target, rule, isWanted, call) => addCors(placeOf(target, call), rule, isWanted),
    clearCors: (target, call) => clearCors(placeOf(target, call)),
  }
}

function constrainTo(region: string) {
  return {CreateBucketConfiguration: {LocationConstraint: region as BucketLocationConstraint}}
}

function regionNotes(before: Before, {region}: ContainerOptions): readonly string[] {
  if (before.state !== 'there' || [before.region, region].includes(undefined) || before.region === region) return []
  return [`The container stands in ${before.region} and cannot move to ${region}.`]
}

function noRegion(error: Failure, region: string | undefined): Failure {
  const message = region === undefined ? 'The store wants a region.' : `The store has no region "${region}".`
  return new Failure('usage', message, {
    context: error.context,
    cause: error,
    suggestion: 'Name one of its own with --region.',
  })
}
