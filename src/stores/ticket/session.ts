import {Failure} from '../../core/failure.ts'
import {formatSize} from '../../core/sizes.ts'
import {formatTarget} from '../../core/target.ts'
import type {Request} from '../../http/send.ts'
import type {Call, ObjectInfo, ObjectOptions, PartPlan, PartReceipt, Session, Target, UploadStore} from '../store.ts'
import type {Ticket} from './ticket.ts'
import {checkFit, largestOf} from './ticket.ts'

/** The verbs of an upload, and a look at the object itself. */
export type TicketUpload = UploadStore & {head(call: Call): Promise<ObjectInfo>}

/** Adopts the upload that the ticket is for. Fails `usage`, `too-large` or `expired` where it is not for this one. */
export function checkedSession(ticket: Ticket, target: Target, options: ObjectOptions, plan: PartPlan): Session {
  checkTarget(ticket, target)
  checkFit(ticket, plan.size, Date.now())
  const {size, partSize} = plan
  return {target, uploadId: ticket.uploadId, options, size, partSize, checksum: 'md5'}
}

/** Fails `integrity` where the receipts are not the whole object, `too-large` where they are more than is allowed. */
export function checkReceipts(ticket: Ticket, {size}: Session, receipts: readonly PartReceipt[]): void {
  const {container, key} = ticket.target
  const context = {container, key}
  if (receipts.reduce((sum, each) => sum + each.size, 0) !== size) {
    throw new Failure('integrity', `The parts of "${container}/${key}" are not the whole object.`, {context})
  }
  if (size > largestOf(ticket)) {
    const message = `${formatSize(size)} is more than the ${formatSize(largestOf(ticket))} that the ticket allows.`
    throw new Failure('too-large', message, {context})
  }
}

function checkTarget({target: own}: Ticket, target: Target): void {
  if (own.container === target.container && own.key === target.key) return
  throw new Failure('usage', `The ticket is for ${formatTarget(own)} and for nothing else.`)
}

/** Takes a signed URL apart without touching it: `URL` folds dot segments into another object. */
export function requestOf(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
): Pick<Request, 'method' | 'origin' | 'path' | 'headers'> {
  const [, origin = '', path = ''] = /^(https?:\/\/[^/?#]+)(.*)$/su.exec(url) ?? []
  return {method, origin, path, headers: {host: new URL(origin).host, ...headers}}
}
