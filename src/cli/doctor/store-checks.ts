import {formatDuration} from '../../core/durations.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import {formatSize} from '../../core/sizes.ts'
import {formatTarget} from '../../core/target.ts'
import type {Right, WhoAmI} from '../../stores/store.ts'
import {ok, open} from './checks.ts'
import type {Check, Finding} from './checks.ts'
import type {Patient} from './patient.ts'

/** Who we are. At Swift it is also what says where the store is. */
export function credentialsCheck(before: string, patient: () => Patient): Check {
  return {
    name: 'credentials',
    needs: [before],
    async run() {
      const {probe, call} = patient()
      return describeWho(await probe.identify(call))
    },
  }
}

const SOON = 15 * 60_000

function describeWho({who, ends}: WhoAmI): Finding {
  if (ends === undefined) return ok(who)
  const left = ends.getTime() - Date.now()
  const remedy = 'A long upload outlives them: it goes on only if they renew themselves.'
  return ok(`${who}; ends in ${formatDuration(Math.max(0, left))}`, left < SOON ? remedy : undefined)
}

/** What the store says of a container, and what it allows there. */
export function containerChecks(patient: () => Patient): readonly Check[] {
  return [
    {name: 'container', needs: ['connection', 'credentials'], run: () => checkContainer(patient())},
    {name: 'region', needs: ['container'], run: () => checkRegion(patient())},
    ...RIGHTS.map((words): Check => ({
      name: words.name,
      needs: ['container'],
      run: () => checkRight(words, patient()),
    })),
    {name: 'checksum', needs: ['connection'], run: () => Promise.resolve(describeChecksum(patient()))},
    {name: 'limits', needs: ['connection'], run: () => checkLimits(patient())},
  ]
}

/** Without a container only the list of them can be asked for. */
export function accountChecks(patient: () => Patient): readonly Check[] {
  return [
    {name: 'containers', needs: ['connection', 'credentials'], run: () => checkAccount(patient())},
    {name: 'checksum', needs: ['connection'], run: () => Promise.resolve(describeChecksum(patient()))},
    {name: 'limits', needs: ['connection'], run: () => checkLimits(patient())},
  ]
}

async function checkAccount({store, target, call}: Patient): Promise<Finding> {
  const hint = `Name a container to see what may be done there: skylift doctor ${target.remote}://CONTAINER`
  try {
    for await (const {name} of store.listContainers(call)) return ok(`there are some, "${name}" for one`, hint)
    return ok('none yet', `Make one with: skylift container create ${target.remote}://NAME`)
  } catch (error) {
    if (!isFailure(error, 'forbidden')) throw error
    return open('they may not be listed, which no upload needs', hint)
  }
}

async function checkContainer({probe, remote, target, call}: Patient): Promise<Finding> {
  try {
    await probe.lookAtContainer(target, call)
    return ok(`"${target.container}" is there`)
  } catch (error) {
    if (isFailure(error, 'forbidden')) return open(`"${target.container}" may not be looked at, which no upload needs`)
    if (!isFailure(error, 'not-found') || remote.provider !== 's3' || remote.isSandbox !== true) throw error
    throw new Failure('not-found', `There is no container "${target.container}" in the sandbox yet.`, {
      suggestion: 'The first upload makes it.',
      cause: error,
    })
  }
}

async function checkRegion({probe, remote, target, call}: Patient): Promise<Finding> {
  const found = await probe.findRegion(target, call)
  const told = found ?? remote.region
  if (told === undefined) return open('as the sign-in says')
  if (found === undefined || remote.region === undefined || remote.region === found) return ok(told)
  return ok(
    `${found}, not ${remote.region}`,
    `Name the true one (--region ${found}): it saves a request, and links need it.`,
  )
}

interface RightWords {
  readonly name: string
  readonly right: Right
  readonly may: string
  readonly mayNot: string
  /** Without it nothing can be uploaded, or no large file. */
  readonly isNeeded?: boolean
}

const RIGHTS: readonly RightWords[] = [
  {name: 'write', right: 'write', may: 'may put objects', mayNot: 'put objects', isNeeded: true},
  {
    name: 'multipart',
    right: 'parts',
    may: 'may send parts of large objects',
    mayNot: 'send parts of large objects',
    isNeeded: true,
  },
  {
    name: 'resume',
    right: 'resume',
    may: 'may ask which parts are there',
    mayNot: 'may not ask which parts are there: after a break an upload begins anew',
  },
  {
    name: 'abort',
    right: 'abort',
    may: 'may drop unfinished uploads',
    mayNot: 'may not drop unfinished uploads: their parts stay, and are paid for',
  },
  {
    name: 'list',
    right: 'list',
    may: 'may list objects',
    mayNot: 'may not list objects, which no upload needs; deleting a container with -r does',
  },
]

async function checkRight(
  {right, may, mayNot, isNeeded = false}: RightWords,
  {probe, target, call}: Patient,
): Promise<Finding> {
  const {allowed, note} = await probe.tryRight(right, target, call)
  const remedy = `What must be allowed shows: skylift doctor ${formatTarget(target)} --policy`
  if (allowed === true) return ok(may, note)
  if (allowed === undefined) return open(`could not be told: ${note ?? 'the store does not say'}`)
  if (!isNeeded) return open(mayNot, remedy)
  throw new Failure('forbidden', note ?? `These credentials may not ${mayNot} at "${formatTarget(target)}".`, {
    suggestion: remedy,
  })
}

function describeChecksum({probe}: Patient): Finding {
  const checksum = probe.checksum()
  if (checksum === 'crc32') return ok('CRC32, verified by the store')
  if (checksum === 'md5') return ok('MD5, verified by the store or by comparing its ETag')
  return open('not known yet: the first upload of several parts finds out')
}

async function checkLimits({store, call}: Patient): Promise<Finding> {
  const {object, whole, part} = await store.limits(call)
  if (part === undefined) return ok(`objects up to ${formatSize(whole)}, in one piece only`)
  const parts = `${part.count.toLocaleString('en')} parts of ${formatSize(part.min)} to ${formatSize(part.max)}`
  return ok(`objects up to ${formatSize(object)}, ${formatSize(whole)} of them in one piece; ${parts}`)
}
