import {Args, Flags} from '@oclif/core'
import {TicketCommand} from '../../cli/ticket-command.ts'
import {formatTicket, prepareTicketFile} from '../../cli/ticket-file.ts'
import {readTicketWish, ticketFlags, ticketTarget} from '../../cli/ticket-wish.ts'
import {describeTicket, ticketToJson} from '../../cli/ticket-words.ts'

export default class TicketCreate extends TicketCommand {
  static override summary = 'Make a ticket: with it somebody without credentials uploads one object, in parallel.'
  static override description = `A ticket is one JSON document of temp URLs. Whoever has it can upload this one object, and nothing else: skylift upload FILE ticket:disk.json goes on after a kill, checks every part, and needs no credentials.
On S3 the upload is begun now; its parts are stored, and paid for, until it is completed or revoked.
Swift joins parts only for whoever has credentials. So the default there is one PUT of up to the cluster's limit (--assemble whole).`

  static override args = {
    target: Args.string({description: 'the object', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> ticket create s3://inbox/disk.img --expires 12h -o disk.json',
    '<%= config.bin %> ticket create s3://inbox/scan.pdf --file-size 48213 -o scan.json',
    '<%= config.bin %> ticket create swift://inbox/disk.img --assemble owner -o disk.json',
  ]

  static override flags = {
    output: Flags.string({char: 'o', description: 'a new file for the ticket; stdout unless given', helpValue: 'FILE'}),
    ...ticketFlags,
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TicketCreate)
    const target = ticketTarget(args.target)
    const file = flags.output === undefined ? undefined : await prepareTicketFile(flags.output, false)
    try {
      return await this.useTickets(
        target,
        flags,
        async ({store, call}) => {
          const wish = await readTicketWish(target, flags, store, call)
          const {ticket, notes} = await store.mintTicket(target, wish, call)
          await file?.write(formatTicket(ticket)).catch(async (error: unknown) => {
            // Nobody would ever have it.
            await store.revokeTicket(ticket, call)
            throw error
          })
          this.tellAside([...describeTicket(ticket, Date.parse(ticket.created)), ...notes])
          if (!this.jsonEnabled()) this.log(file === undefined ? JSON.stringify(ticket, null, 1) : flags.output)
          return {
            ok: true,
            ...(flags.output === undefined ? {ticket} : {file: flags.output}),
            ...ticketToJson(ticket),
          }
        },
        true,
      )
    } finally {
      await file?.discard()
    }
  }
}
