import {Failure} from '../core/failure.ts'
import {formatSize} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import {openTicket} from '../stores/open.ts'
import type {PendingUpload, UploadStore} from '../stores/store.ts'
import {checkTime} from '../stores/ticket/ticket.ts'
import type {Ticket} from '../stores/ticket/ticket.ts'
import {harmless} from './github.ts'
import {createKeep} from './keep.ts'
import type {KeepFlags} from './keep.ts'
import type {FoundDestination} from './open-destination.ts'
import {DEFAULT_CONCURRENCY, FIRST_CONTACT, RETRY_FOR} from './open-target.ts'
import type {OpenTargetOptions} from './open-target.ts'
import {readTicket} from './ticket-file.ts'
import {describeTicket} from './ticket-words.ts'
import {createWire} from './wire.ts'

/** What only who begins an upload can say of the object; the ticket has begun it. */
const OWNERS = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'metadata',
  'tag',
  'storage-class',
  'acl',
  'sse',
  'sse-kms-key-id',
  'no-clobber',
] as const

type TicketUploadFlags = OpenTargetOptions['flags'] &
  KeepFlags & {readonly [name in (typeof OWNERS)[number]]?: unknown} & MoreFlags

interface MoreFlags {
  readonly 'part-size'?: number | undefined
  readonly link?: boolean
  readonly quiet?: boolean
  readonly progress?: string
  readonly json?: boolean
}

/** Finds what a ticket is for, without credentials and without settings. Fails `usage`, `config`, `expired`. */
export async function findTicket(
  file: string,
  {flags, concurrency, isSdk, wire}: Omit<OpenTargetOptions, 'flags'> & {readonly flags: TicketUploadFlags},
): Promise<FoundDestination> {
  const ticket = await readTicket(file)
  checkTime(ticket, Date.now())
  refuseFlags(flags, ticket)
  checkPartSize(flags['part-size'], ticket)
  if (isSdk === true) {
    throw new Failure('unsupported', 'The AWS SDK cannot send with a ticket.', {suggestion: 'Leave --engine away.'})
  }
  return {
    target: ticket.target,
    forSeveral: 'A ticket is for one object. Ask its owner for one for each file.',
    async open() {
      tell(ticket, flags)
      const wished = flags['retry-for']
      const driver = await openTicket(ticket, {
        wire: wire ?? createWire(flags),
        concurrency: concurrency ?? DEFAULT_CONCURRENCY,
        retry: {retryFor: wished ?? RETRY_FOR, ...(wished === undefined ? {firstContact: FIRST_CONTACT} : {})},
      })
      // The ticket has this one upload and no other: what must go is replaced, part by part.
      const store: UploadStore = {...driver, abort: () => Promise.resolve()}
      const keep = createKeep(flags, {listUploads: () => ownUpload(ticket)})
      return {store, ...(keep === undefined ? {} : {keep})}
    },
  }
}

/** Whoever was given a ticket should see where their file goes before it leaves. */
function tell(ticket: Ticket, {quiet = false, progress = 'auto', json = false}: MoreFlags): void {
  if (quiet || json || ['json', 'none'].includes(progress)) return
  for (const line of describeTicket(ticket).slice(0, 2)) process.stderr.write(`${harmless(line)}\n`)
}

/** For `--resume store`: what was sent from another machine. */
async function* ownUpload({target, uploadId}: Ticket): AsyncGenerator<PendingUpload> {
  yield {target, uploadId}
}

/** Where lengths are signed, or stay behind for ever, nobody but the owner chooses them. */
function checkPartSize(wish: number | undefined, ticket: Ticket): void {
  const fixed = 'parts' in ticket ? ticket.parts.partSize : undefined
  if (wish === undefined || fixed === undefined || wish === fixed) return
  throw new Failure('usage', `The ticket is for parts of ${formatSize(fixed)}, not of ${formatSize(wish)}.`, {
    suggestion: 'Leave --part-size (SKYLIFT_PART_SIZE) away.',
  })
}

function refuseFlags(flags: TicketUploadFlags, {target}: Ticket): void {
  if (flags.link === true) {
    throw new Failure('usage', 'A ticket is for this upload: it can make no --link.', {
      suggestion: 'Leave --link away; one that is in the ticket is shown by: skylift ticket show FILE --link',
    })
  }
  const given = OWNERS.find(name => ![undefined, false].includes(flags[name] as undefined))
  if (given === undefined) return
  throw new Failure('usage', `--${given} cannot be set with a ticket: its owner has begun the upload.`, {
    suggestion: `Leave it away, or have the owner of ${formatTarget(target)} make another ticket.`,
  })
}
