import {Flags} from '@oclif/core'
import {BaseCommand} from '../../cli/base-command.ts'
import {ticketArgs} from '../../cli/ticket-command.ts'
import {readTicket} from '../../cli/ticket-file.ts'
import {describeTicket, ticketToJson} from '../../cli/ticket-words.ts'
import {Failure} from '../../core/failure.ts'

export default class TicketShow extends BaseCommand {
  static override summary = 'Explain a ticket: where to, until when, how large, and what the store cannot enforce.'
  static override description =
    'Nothing is asked of the network, and no signature is shown; --link prints the download link that is in it.'
  static override args = ticketArgs
  static override examples = ['<%= config.bin %> ticket show disk.json']
  static override flags = {
    link: Flags.boolean({description: 'print the download link that is in the ticket, and nothing else'}),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TicketShow)
    const ticket = await readTicket(args.file)
    if (!flags.link) {
      if (!this.jsonEnabled()) for (const line of describeTicket(ticket)) this.log(line)
      return {ok: true, ...ticketToJson(ticket)}
    }
    if (ticket.link === undefined) {
      throw new Failure('usage', 'There is no download link in this ticket.', {
        suggestion: 'Its owner makes one with: skylift ticket create TARGET --filename NAME',
      })
    }
    if (!this.jsonEnabled()) this.log(ticket.link.url)
    return {ok: true, url: ticket.link.url}
  }
}
