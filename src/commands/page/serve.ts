import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {Args, Flags} from '@oclif/core'
import {readPageAssets} from '../../cli/page-assets.ts'
import {setServedCors} from '../../cli/page-cors.ts'
import {pageFlags, readPageName} from '../../cli/page-flags.ts'
import {targetArgument} from '../../cli/target-argument.ts'
import {TicketCommand} from '../../cli/ticket-command.ts'
import type {OpenTickets} from '../../cli/ticket-command.ts'
import {readTicketWish} from '../../cli/ticket-wish.ts'
import {pagePolicy, renderPage} from '../../page/render.ts'
import {createSeals} from '../../page/serve/seal.ts'
import {startPageServer} from '../../page/serve/server.ts'
import {createUploads} from '../../page/serve/uploads.ts'
import {planParts} from '../../upload/plan.ts'

const {uploads: _, output: __, filename: ___, ...shared} = pageFlags

export default class PageServe extends TicketCommand {
  static override summary = 'Serve the upload page to any number of people, signing their parts on demand.'
  static override description = `A small server on this machine that begins uploads and signs their parts; no byte of content passes it. Each file goes under a random key of its own.
It listens on loopback only. To let others in, put a web server with TLS in front of it, and name it by --name.`

  static override args = {
    target: Args.string({description: 'the container, or a folder in it', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> page serve s3://inbox/ --port 8080',
    '<%= config.bin %> page serve s3://inbox/ --port 8080 --name upload.example.com --size 5G',
  ]

  static override flags = {
    ...shared,
    port: Flags.integer({description: 'where to listen; a free port unless given', default: 0, min: 0, max: 65_535}),
    name: Flags.string({
      description: 'host (and port) by which a web server in front is asked; may be given several times',
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(PageServe)
    const folder = targetArgument(args.target, 'container')
    const names = flags.name.map(readPageName)
    const assets = await readPageAssets(this.config)
    const serve = async ({store, call}: OpenTickets): Promise<unknown> => {
      const wish = await readTicketWish({...folder, key: folder.key || 'page'}, flags, store, call)
      const max = 'exact' in wish.size ? wish.size.exact : wish.size.max
      const limits = await store.limits(call)
      const {expiresIn} = wish
      const isWhole = wish.assemble === 'whole'
      const uploads = createUploads(
        {
          store,
          folder,
          max,
          expiresIn,
          signal: call.signal,
          ...(wish.assemble === undefined ? {} : {assemble: wish.assemble}),
          plan: size =>
            isWhole ? {size, partSize: size, count: 0} : planParts(size, {...limits, whole: 0}, partWish(flags)),
        },
        createSeals(randomBytes(32)),
      )
      const containers = await store.prepareContainers(folder, wish.assemble, call)
      // What cannot be signed is told before anybody comes.
      const {expires, 'allow-shorter': allowShorter} = flags
      const life = {expiresIn, allowShorter: allowShorter || expires === undefined}
      await store.link({...folder, key: 'x'}, life, call)
      const token = randomBytes(24).toString('base64url')
      const origin = new URL(await store.publicUrl({...folder, key: 'x'}, call)).origin
      const data = {title: flags.title, tickets: [], served: {token, max, target: folder, origin}}
      const server = await startPageServer({
        port: flags.port,
        host: '127.0.0.1',
        names,
        token,
        uploads,
        html: renderPage(data, assets),
        policy: pagePolicy(data, assets),
        onFailure: ({code, message}) => this.tellAside([`${code}: ${message}`]),
      })
      const own = [new URL(server.url).origin, ...names.map(name => `https://${name}`)]
      this.tellAside([
        ...(await setServedCors(store, folder, containers, [...own, ...(flags.origin ?? [])], call)),
        'Ctrl-C ends it.',
      ])
      this.log(server.url)
      try {
        if (!call.signal.aborted) await once(call.signal, 'abort')
      } finally {
        await server.close()
      }
      return undefined
    }
    return this.useTickets(folder, flags, serve, true)
  }
}

function partWish({'part-size': partSize}: {readonly 'part-size'?: number | undefined}): {partSize?: number} {
  return partSize === undefined ? {} : {partSize}
}
