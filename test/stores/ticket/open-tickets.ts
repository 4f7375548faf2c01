import {createAgents} from '../../../src/http/agents.ts'
import {hasTickets, openTicket} from '../../../src/stores/open.ts'
import type {Assemble, TicketStore, TicketWish} from '../../../src/stores/open.ts'
import type {Call, PartPlan, Store, StoredObject, Target, UploadStore} from '../../../src/stores/store.ts'
import {formatTicket, parseTicket} from '../../../src/stores/ticket/ticket.ts'
import type {Ticket} from '../../../src/stores/ticket/ticket.ts'
import type {ContractStore} from '../contract/bench.ts'

export type Owner = Store & TicketStore

export function ownerOf(store: Store): Owner {
  if (!hasTickets(store)) throw new Error('This store makes no tickets.')
  return store
}

/** Opens a ticket as its holder does: from its text, with no credentials. */
export async function openText(ticket: Ticket): Promise<{readonly store: UploadStore; close(): void}> {
  const agents = createAgents()
  const store = await openTicket(parseTicket(formatTicket(ticket)), {
    wire: {agents},
    concurrency: 8,
    retry: {retryFor: 5000},
  })
  return {store, close: () => agents.close()}
}

export function wishFor(plan: PartPlan, more: Partial<TicketWish> = {}): TicketWish {
  return {
    expiresIn: 600_000,
    size: {max: Math.max(1, plan.size)},
    plan,
    contentType: 'application/octet-stream',
    ...more,
  }
}

/**
 * A store whose every upload goes by a ticket of its own, minted by `owner` and used without credentials. What a ticket
 * has no verb for is the owner's: looking at what is stored, and ending an upload.
 */
export function storeOfTickets(owner: Owner, assemble?: Assemble): {store: ContractStore; close(): void} {
  const open = new Map<string, {readonly ticket: Ticket; readonly store: UploadStore; close(): void}>()
  const isWhole = assemble === 'whole'

  async function mint(target: Target, plan: PartPlan, contentType: string | undefined, call: Call) {
    const more = {
      ...(assemble === undefined ? {} : {assemble}),
      ...(contentType === undefined ? {} : {contentType}),
    }
    const {ticket} = await owner.mintTicket(target, wishFor(plan, more), call)
    const opened = {ticket, ...(await openText(ticket))}
    open.set(ticket.uploadId, opened)
    return opened
  }

  /** The holder's last step, and the owner's. */
  async function end(ticket: Ticket, stored: StoredObject, call: Call): Promise<StoredObject> {
    if (assemble !== 'owner') return stored
    const finished = await owner.finishTicket(ticket, call)
    return {...finished, ...(stored.crc32 === undefined ? {} : {crc32: stored.crc32})}
  }

  const find = (uploadId: string) => {
    const found = open.get(uploadId)
    if (found === undefined) throw new Error('There is no such ticket.')
    return found
  }

  const store: ContractStore = {
    ...owner,
    async putWhole(target, body, {contentType}, call) {
      const plan = {size: body.size, partSize: body.size, count: 0}
      const {ticket, store: holder} = await mint(target, plan, contentType, call)
      const stored = await holder.putWhole(target, body, {}, call)
      return isWhole ? stored : end(ticket, stored, call)
    },
    async begin(target, {contentType}, plan, call) {
      const {store: holder} = await mint(target, plan, contentType, call)
      return holder.begin(target, {}, plan, call)
    },
    putPart: (session, ...rest) => find(session.uploadId).store.putPart(session, ...rest),
    listParts: (session, call) => find(session.uploadId).store.listParts(session, call),
    async complete(session, receipts, call) {
      const {ticket, store: holder} = find(session.uploadId)
      return end(ticket, await holder.complete(session, receipts, call), call)
    },
    async abort({uploadId}, call) {
      await owner.revokeTicket(find(uploadId).ticket, call)
    },
  }
  return {
    store,
    close() {
      for (const each of open.values()) each.close()
    },
  }
}
