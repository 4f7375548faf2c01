import {Flags} from '@oclif/core'
import {ticketArgs, TicketCommand} from '../../cli/ticket-command.ts'
import {formatTicket, prepareTicketFile, readTicket} from '../../cli/ticket-file.ts'
import {DEFAULT_TICKET_EXPIRY, ticketLifeFlags} from '../../cli/ticket-wish.ts'
import {describeTicket, ticketToJson} from '../../cli/ticket-words.ts'

export default class TicketRenew extends TicketCommand {
  static override summary = 'Sign a ticket anew: parts that were sent with the old one are not sent again.'
  static override description = `The upload stays the same, so whoever was sending goes on with the new ticket. The old one works until its own end.
The file is replaced in one step; - reads from stdin and writes to stdout.`
  static override args = ticketArgs
  static override examples = ['<%= config.bin %> ticket renew disk.json --expires 12h']
  static override flags = {
    output: Flags.string({char: 'o', description: 'a new file instead of the old one', helpValue: 'FILE'}),
    ...ticketLifeFlags,
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TicketRenew)
    const old = await readTicket(args.file)
    const path = flags.output ?? (args.file === '-' ? undefined : args.file)
    const file = path === undefined ? undefined : await prepareTicketFile(path, flags.output === undefined)
    try {
      return await this.useTickets(old.target, flags, async ({store, call}) => {
        const life = {expiresIn: flags.expires ?? DEFAULT_TICKET_EXPIRY, allowShorter: flags['allow-shorter']}
        const {ticket, notes} = await store.renewTicket(old, life, call)
        await file?.write(formatTicket(ticket))
        this.tellAside([...describeTicket(ticket, Date.parse(ticket.created)), ...notes])
        if (!this.jsonEnabled()) this.log(file === undefined ? JSON.stringify(ticket, null, 1) : path)
        return {ok: true, ...(path === undefined ? {ticket} : {file: path}), ...ticketToJson(ticket)}
      })
    } finally {
      await file?.discard()
    }
  }
}
