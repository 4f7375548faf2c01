import {ticketArgs, TicketCommand} from '../../cli/ticket-command.ts'
import {readTickets} from '../../cli/ticket-file.ts'
import {describeStored, storedToJson} from '../../cli/upload-words.ts'
import {asFailure} from '../../core/failure.ts'
import type {Failure} from '../../core/failure.ts'

export default class TicketFinish extends TicketCommand {
  static override summary = 'Swift: make the object of the parts that were sent with a ticket.'
  static override description = `For tickets of --assemble owner. Size and checksum of every part are checked. An upload page of that kind is named instead of a ticket. It may be run again: finished already is success, and exit status 8 means that not everything was sent yet.`
  static override args = ticketArgs
  static override examples = ['<%= config.bin %> ticket finish disk.json']

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TicketFinish)
    const tickets = await readTickets(args.file)
    const {target} = tickets[0] as (typeof tickets)[number]
    return this.useTickets(target, flags, async ({store, call}) => {
      const objects: ReturnType<typeof storedToJson>[] = []
      const failures: Failure[] = []
      for (const ticket of tickets) {
        const started = performance.now()
        try {
          const stored = await store.finishTicket(ticket, call)
          const elapsed = performance.now() - started
          objects.push(storedToJson(stored, elapsed))
          if (!this.jsonEnabled()) this.log(describeStored(stored, elapsed))
          this.tellAside(stored.notes ?? [])
        } catch (error) {
          failures.push(asFailure(error))
        }
      }
      if (failures.length > 0) this.endWith(failures, {objects})
      return {ok: true, ...(tickets.length === 1 ? {object: objects[0]} : {objects})}
    })
  }
}
