import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import {formatSize, GIB, MIB} from '../core/sizes.ts'
import type {Target} from '../core/target.ts'
import type {Assemble, TicketStore, TicketWish} from '../stores/open.ts'
import type {Call, PartLimits, PartPlan, Store} from '../stores/store.ts'
import type {TicketSize} from '../stores/ticket/ticket.ts'
import {planParts} from '../upload/plan.ts'
import {expiryFlags, expiryFlag} from './expiry.ts'
import {sizeFlag} from './flags.ts'
import {readObjectOptions} from './object-options.ts'
import {targetArgument} from './target-argument.ts'

export const DEFAULT_TICKET_EXPIRY = 12 * 3_600_000
const DEFAULT_SIZE = 50 * GIB
/** So many parts cost a ticket nothing. */
const ROOM = 100
const SMALL = 5 * MIB

export const ticketLifeFlags = {
  expires: expiryFlag({
    description: 'how long it works: 90m, 12h, 7d, seconds, or a date such as 2030-12-31T18:00Z; 12h unless given',
  }),
  'allow-shorter': expiryFlags['allow-shorter'],
}

export const ticketFlags = {
  ...ticketLifeFlags,
  size: sizeFlag({description: 'the largest file that may be sent; 50G unless given', exclusive: ['file-size']}),
  'file-size': sizeFlag({description: 'the exact size of the file; S3 stores then take no other'}),
  'part-size': sizeFlag({
    char: 'p',
    description: 'size of the parts of the largest file: larger ones make a shorter ticket',
    env: 'SKYLIFT_PART_SIZE',
  }),
  'content-type': Flags.string({description: 'type of the object; guessed from its key unless given'}),
  assemble: Flags.string({
    description:
      'swift: whole: one PUT, nothing to resume; owner: parts, which you make an object with "ticket finish"; open: parts, and the object is there from the start',
    options: ['whole', 'owner', 'open'],
  }),
  filename: Flags.string({
    char: 'f',
    description: 'put a link into the ticket that downloads the object under this name',
    helpValue: 'NAME',
  }),
}

export interface TicketFlags {
  readonly expires?: number | undefined
  readonly 'allow-shorter': boolean
  readonly size?: number | undefined
  readonly 'file-size'?: number | undefined
  readonly 'part-size'?: number | undefined
  readonly 'content-type'?: string | undefined
  readonly assemble?: string | undefined
  readonly filename?: string | undefined
}

/** Returns the object that a ticket is for. Fails `usage`. */
export function ticketTarget(text: string): Target {
  const target = targetArgument(text, 'object')
  if (!target.key.endsWith('/')) return target
  throw new Failure('usage', 'A ticket is for one object: its key cannot end in a slash.', {
    suggestion: 'Write the whole key: whoever uploads does not choose it.',
  })
}

/** Makes the wish for a ticket from flags and the limits of the store. Fails `usage`, `too-large`, `unsupported`. */
export async function readTicketWish(
  target: Target,
  flags: TicketFlags,
  store: Store & TicketStore,
  call: Call,
): Promise<TicketWish> {
  const limits = await store.limits(call)
  const assemble = chooseAssemble(flags.assemble, store)
  const isWhole = assemble === 'whole'
  const size = readSize(flags, isWhole ? limits.whole : undefined)
  const largest = 'exact' in size ? size.exact : size.max
  if (isWhole) checkWhole(largest, limits.whole, flags)
  const wish = flags['part-size'] === undefined ? {} : {partSize: flags['part-size']}
  const plan = isWhole ? {size: largest, partSize: largest, count: 0} : planParts(largest, limits, wish)
  const isFixed = 'exact' in size || assemble === 'open' || flags['part-size'] !== undefined
  const {contentType = ''} = await readObjectOptions({'content-type': flags['content-type']}, target.key)
  return {
    expiresIn: flags.expires ?? DEFAULT_TICKET_EXPIRY,
    allowShorter: flags['allow-shorter'],
    size,
    plan: isFixed ? plan : giveRoom(plan, limits.part),
    contentType,
    ...(assemble === undefined ? {} : {assemble}),
    ...(flags.filename === undefined ? {} : {filename: flags.filename}),
  }
}

/** Whoever uploads chooses the part size: a small file may have some parts more, so that a cut costs less. */
function giveRoom(plan: PartPlan, part: PartLimits | undefined): PartPlan {
  if (part === undefined) return plan
  const many = Math.min(part.count, ROOM, Math.ceil(plan.size / Math.max(part.min, SMALL)))
  return {...plan, count: Math.max(plan.count, many)}
}

function chooseAssemble(wish: string | undefined, {assembles}: TicketStore): Assemble | undefined {
  if (wish === undefined) return assembles[0]
  const found = assembles.find(each => each === wish)
  if (found !== undefined) return found
  throw new Failure('unsupported', 'This store assembles the parts itself.', {suggestion: 'Leave --assemble away.'})
}

function readSize(flags: TicketFlags, whole: number | undefined): TicketSize {
  const exact = flags['file-size']
  if (exact !== undefined) return {exact}
  if (flags.size === 0)
    throw new Failure('usage', 'A ticket for nothing is none.', {
      suggestion: 'Give a larger --size; only a ticket with --file-size 0 is for an empty file.',
    })
  return {max: flags.size ?? Math.min(DEFAULT_SIZE, whole ?? DEFAULT_SIZE)}
}

function checkWhole(largest: number, whole: number, flags: TicketFlags): void {
  const suggestion = 'For parts take --assemble owner, and run "skylift ticket finish FILE" afterwards.'
  if (flags['part-size'] !== undefined) {
    throw new Failure('usage', 'Without credentials Swift takes an object in one PUT, so there is no part size.', {
      suggestion,
    })
  }
  if (largest > whole) {
    const message = `${formatSize(largest)} is more than the ${formatSize(whole)} that this store takes in one PUT.`
    throw new Failure('too-large', message, {suggestion})
  }
}
