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

async function writeReally({store, target: {key, ...place}, call}: Patient): Promise<Finding> {
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const target = {...place, key: `${folder}.skylift-doctor-${randomBytes(8).toString('hex')}`}
  const body = bodyOf(randomBytes(SIZE))
  const {verified} = await store.putWhole(target, body, {}, call)
  const left = await dropObject(() => store.deleteObject(target, call))
  const {part} = await store.limits(call)
  const words = part === undefined ? '' : ` and one part ${await writePart(store, target, body, call)}`
  const message = `one object was written, verified by ${verified.by}${left ? '' : ', and deleted'};${words}`.replace(
    /;$/u,
    '',
  )
  return ok(message, left ? `It may not be deleted by these credentials and is still there: ${target.key}` : undefined)
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
