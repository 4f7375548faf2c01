import {Flags} from '@oclif/core'
import {confirm} from '../../cli/ask.ts'
import {ticketArgs, TicketCommand} from '../../cli/ticket-command.ts'
import {readTickets} from '../../cli/ticket-file.ts'
import {printable} from '../../core/printable.ts'
import {formatTarget} from '../../core/target.ts'

export default class TicketRevoke extends TicketCommand {
  static override summary = 'End the upload of a ticket and drop what was sent; a finished object stays.'
  static override description =
    'With --assemble open what was sent is the object: it is deleted, so this asks, or wants -y. An upload page may be named instead of a ticket: all its uploads end.'
  static override args = ticketArgs
  static override examples = ['<%= config.bin %> ticket revoke disk.json']
  static override flags = {yes: Flags.boolean({char: 'y', description: 'do not ask'})}

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TicketRevoke)
    const tickets = await readTickets(args.file)
    const targets = tickets.map(({target}) => formatTarget(target))
    const isOpen = tickets.some(ticket => ticket.kind === 'swift' && ticket.assemble === 'open')
    if (isOpen && !flags.yes) await confirm(`${targets.join(' and ')} and all parts of it will be deleted. Go on?`)
    const {target: first} = tickets[0] as (typeof tickets)[number]
    return this.useTickets(first, flags, async ({store, call}) => {
      const revoked = []
      for (const [index, ticket] of tickets.entries()) {
        const target = targets[index] ?? ''
        const notes = await store.revokeTicket(ticket, call)
        if (!this.jsonEnabled()) this.log(`The ticket for ${printable(target)} is revoked.`)
        this.tellAside(notes)
        revoked.push({target, uploadId: ticket.uploadId, notes})
      }
      return {ok: true, ...(revoked.length === 1 ? revoked[0] : {revoked})}
    })
  }
}
