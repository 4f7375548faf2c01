import {randomBytes} from 'node:crypto'
import {isFailure} from '../../core/failure.ts'
import type {Body, Call, Target} from '../../stores/store.ts'
import {ok} from './checks.ts'
import type {Check, Finding} from './checks.ts'
import type {Patient} from './patient.ts'

const SIZE = 1024

/** Writes for real: one object, and one part of an upload that is dropped again. */
export function writeCheck(patient: () => Patient): Check {
  return {name: 'real write', needs: ['write'], run: () => writeReally(patient())}
}

async function writeReally({store, probe, target: {key, ...place}, call}: Patient): Promise<Finding> {
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const target = {...place, key: `${folder}.skylift-doctor-${randomBytes(8).toString('hex')}`}
  const body = bodyOf(randomBytes(SIZE))
  const {verified} = await store.putWhole(target, body, {}, call)
  const left = await dropObject(() => store.deleteObject(target, call))
  const {part} = await store.limits(call)
  const missing = part === undefined ? undefined : await probe.findMissingContainer(target, call)
  const words = part === undefined ? '' : ` and one part ${await writePart(store, target, body, call)}`
  const stays = missing !== undefined && !(await dropContainer(store, missing, call))
  const message = `one object was written, verified by ${verified.by}${left ? '' : ', and deleted'};${words}`.replace(
    /;$/u,
    '',
  )
  const remedies = [
    ...(left ? [`It may not be deleted by these credentials and is still there: ${target.key}`] : []),
    ...(stays ? [`The container "${missing.container}" was made for the part, and stays.`] : []),
  ]
  return ok(message, remedies.length > 0 ? remedies.join(' ') : undefined)
}

async function writePart(store: Patient['store'], target: Target, body: Body, call: Call): Promise<string> {
  const plan = {size: SIZE, partSize: SIZE, count: 1}
  const session = await store.begin(target, {}, plan, call)
  try {
    await store.putPart(session, {number: 1, offset: 0, size: SIZE}, body, call)
  } finally {
    await store.abort(session, call).catch(() => {})
  }
  return `sent, verified by ${session.checksum}, and dropped`
}

/** False where it stays: it may not be deleted, or somebody uses it already. */
async function dropContainer(store: Patient['store'], target: Target, call: Call): Promise<boolean> {
  try {
    await store.deleteContainer(target, call)
    return true
  } catch (error) {
    if (isFailure(error, 'forbidden', 'exists')) return false
    throw error
  }
}

/** True where the object stays. */
async function dropObject(drop: () => Promise<void>): Promise<boolean> {
  try {
    await drop()
    return false
  } catch (error) {
    if (isFailure(error, 'forbidden')) return true
    throw error
  }
}

function bodyOf(bytes: Buffer): Body {
  return {
    size: bytes.length,
    read(into, position) {
      return Promise.resolve(bytes.copy(into, 0, position))
    },
  }
}
