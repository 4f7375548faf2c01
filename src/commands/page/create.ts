import {randomUUID} from 'node:crypto'
import {Args} from '@oclif/core'
import {readPageAssets} from '../../cli/page-assets.ts'
import {setPageCors} from '../../cli/page-cors.ts'
import {pageFlags, pageTicketFlags} from '../../cli/page-flags.ts'
import {describePage} from '../../cli/page-words.ts'
import {mintPrefixTicket} from '../../cli/page-prefix.ts'
import {targetArgument} from '../../cli/target-argument.ts'
import {TicketCommand} from '../../cli/ticket-command.ts'
import type {OpenTickets} from '../../cli/ticket-command.ts'
import {prepareTicketFile} from '../../cli/ticket-file.ts'
import {readTicketWish} from '../../cli/ticket-wish.ts'
import {formatTarget} from '../../core/target.ts'
import type {Target} from '../../core/target.ts'
import {renderPage} from '../../page/render.ts'

export default class PageCreate extends TicketCommand {
  static override summary = 'Make a web page from which somebody without credentials uploads straight to the store.'
  static override description = `The page is one file that loads nothing: put it on any web server, into the container itself, or send it by mail.
It uploads big files in parallel parts, goes on after a reload or a lost network, and checks every part. Whoever has it can make as many uploads as --uploads says, each under a random key chosen now, and nothing else.
The container must let the page's origin in (CORS): --origin does that in the same step.`

  static override args = {
    target: Args.string({description: 'the container, or a folder in it', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> page create s3://inbox/ --origin https://example.com -o upload.html',
    '<%= config.bin %> page create s3://inbox/scans/ --uploads 20 --size 2G --expires 7d --origin null -o upload.html',
    '<%= config.bin %> page create swift://inbox/ -f report.pdf --title "Your report, please" -o upload.html',
  ]

  static override flags = pageFlags

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(PageCreate)
    const folder = targetArgument(args.target, 'container')
    const assets = await readPageAssets(this.config)
    const file = await prepareTicketFile(flags.output, false)
    const make = async ({store, call}: OpenTickets): Promise<unknown> => {
      const minted = []
      const isForAny = isPrefix(flags, store.assembles)
      const wish = await readTicketWish(randomTarget(folder), pageTicketFlags(flags, store.assembles), store, call)
      // Where nothing can be set, nothing is begun.
      const containers = await store.prepareContainers(folder, wish.assemble, call)
      const corsNotes = await setPageCors(store, folder, containers, flags.origin ?? [], call)
      for (let count = 0; count < (flags.uploads ?? 1); count++) {
        const target = randomTarget(folder)
        if (isForAny) minted.push({ticket: await mintPrefixTicket(store, target, wish, call), notes: []})
        else minted.push(await store.mintTicket(target, wish, call))
      }
      const tickets = minted.map(({ticket}) => ticket)
      await file.write(renderPage({title: flags.title, tickets, isForAny}, assets))
      const notes = [...new Set(minted.flatMap(each => each.notes)), ...corsNotes]
      this.tellAside([...describePage(tickets, flags.origin, isForAny), ...notes])
      if (!this.jsonEnabled()) this.log(flags.output)
      const targets = tickets.map(({target}) => formatTarget(target))
      return {ok: true, file: flags.output, targets, expires: tickets[0]?.expires, notes}
    }
    try {
      return await this.useTickets(folder, flags, make, true)
    } finally {
      await file.discard()
    }
  }
}

/** One URL for all, where the store has such and nothing was wished that is for one file. */
function isPrefix(
  {
    uploads,
    assemble,
    filename,
  }: {uploads?: number | undefined; assemble?: string | undefined; filename?: string | undefined},
  [usual]: readonly string[],
): boolean {
  return (assemble ?? usual) === 'whole' && uploads === undefined && filename === undefined
}

/** A key that nobody can guess, so that what stands there cannot be replaced. */
function randomTarget({key, ...place}: Target): Target {
  const folder = key === '' || key.endsWith('/') ? key : `${key}/`
  return {...place, key: folder + randomUUID()}
}
