import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {chromium} from 'playwright-core'
import type {Browser, BrowserContext, Page} from 'playwright-core'
import {skipUnless} from '../support/skip.ts'

const CHROMIUM = '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']

/** Starts the browser that the machine has; skips where there is none. */
export async function openBrowser(context: Mocha.Context): Promise<Browser> {
  skipUnless(context, existsSync(CHROMIUM), 'no browser to upload with: apt-get install chromium')
  return chromium.launch({executablePath: CHROMIUM, args: ARGS})
}

/** A web server of somebody's that serves one page. */
export interface PageServer {
  readonly origin: string
  readonly url: string
  close(): void
}

export async function servePage(file: () => string): Promise<PageServer> {
  const server = createServer((_request, response) => {
    void readFile(file()).then(
      html => response.setHeader('content-type', 'text/html').end(html),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {origin, url: `${origin}/upload.html`, close: () => server.close()}
}

/** One visitor with a memory of their own. */
export interface Visitor {
  readonly page: Page
  /** What the page threw, and what its policy refused. */
  readonly errors: readonly string[]
  choose(file: string): Promise<void>
  /** Resolves to all that is seen once these words are among it. */
  sees(words: RegExp): Promise<string>
  leave(): Promise<void>
}

export async function visit(
  browser: Browser,
  url: string,
  more: Parameters<Browser['newContext']>[0] = {},
): Promise<Visitor> {
  const context: BrowserContext = await browser.newContext({acceptDownloads: true, ...more})
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', error => errors.push(error.message))
  page.on('console', message => {
    if (/Content Security Policy|Uncaught/u.test(message.text())) errors.push(message.text())
  })
  await page.goto(url)
  return {
    page,
    errors,
    choose: file => page.setInputFiles('#file', file),
    async sees(words) {
      try {
        await page.waitForFunction(
          ([source, flags]) => new RegExp(source ?? '', flags).test(document.body.innerText),
          [words.source, words.flags],
          {timeout: 60_000},
        )
      } catch {
        throw new Error(`The page does not say ${words}: ${await page.innerText('main')} ${errors.join(' ')}`)
      }
      return page.innerText('main')
    },
    leave: () => context.close(),
  }
}
