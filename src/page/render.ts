import {createHash} from 'node:crypto'
import {ticketOrigin} from '../stores/ticket/ticket.ts'
import {PAGE_IDS} from './data.ts'
import type {PageData} from './data.ts'

/** What the build makes of `client`: scripts without imports, and the looks. */
export interface PageAssets {
  readonly main: string
  readonly worker: string
  readonly style: string
}

// https://www.w3.org/TR/CSP3/
/** What the page may do: run itself, and speak to the store and to whoever serves it. */
export function pagePolicy({tickets, served}: PageData, {main, style}: PageAssets): string {
  const origins = [
    ...new Set([...tickets.map(ticketOrigin), ...(served === undefined ? [] : [served.origin, "'self'"])]),
  ]
  return [
    "default-src 'none'",
    `script-src '${hashOf(main)}'`,
    `style-src '${hashOf(style)}'`,
    `connect-src ${origins.join(' ')}`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

/** Makes one self-contained HTML file; it loads nothing, and speaks to the store alone. */
export function renderPage(data: PageData, assets: PageAssets): string {
  const {main, worker, style} = assets
  const policy = pagePolicy(data, assets)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(data.title)}</title>
<style>${style}</style>
</head>
<body>
${BODY.replace('{title}', () => escapeHtml(data.title))}
<script type="application/json" id="${PAGE_IDS.data}">${escapeJson(JSON.stringify(data))}</script>
<script type="text/plain" id="${PAGE_IDS.worker}">${worker}</script>
<script>${main}</script>
</body>
</html>
`
}

const BODY = `<main>
<h1>{title}</h1>
<p class="quiet" id="terms"></p>
<noscript><p class="problem"><strong>This page needs JavaScript.</strong> It reads your file and sends it straight to its store.</p></noscript>
<section id="problem" class="problem" role="alert" hidden>
<strong id="problem-title"></strong>
<p id="problem-advice"></p>
<p class="link" id="problem-command" hidden></p>
<button type="button" id="retry" class="second" hidden>Try again</button>
</section>
<section id="choose">
<label class="drop" id="drop">
<input type="file" id="file" aria-describedby="terms">
<span class="button" aria-hidden="true">Choose a file</span>
<span class="quiet">or drop it here</span>
</label>
</section>
<section id="work" aria-label="Upload" hidden>
<p class="name" id="name"></p>
<progress id="bar" max="1" aria-labelledby="name"></progress>
<p class="figures quiet"><span id="figures"></span><span id="left"></span></p>
<p class="row"><button type="button" id="pause" class="second">Pause</button></p>
<p class="hidden-text" id="spoken" role="status" aria-live="polite"></p>
</section>
<section id="done" tabindex="-1" hidden>
<p class="good">✓ Uploaded, complete and checked.</p>
<p class="name" id="done-name"></p>
<p class="row" id="link-row" hidden><a class="button" id="link" rel="noreferrer">Download it</a><button type="button" id="copy" class="second">Copy the link</button></p>
<p class="quiet">You can close this page.</p>
</section>
</main>`

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[<>&"']/gu, char => `&#${char.codePointAt(0)};`)
}

/** A `</script>` in a key would end the element. */
function escapeJson(json: string): string {
  return json.replaceAll('<', String.raw`\u003c`)
}
