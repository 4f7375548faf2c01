// Hands out temp URLs and tickets: files go straight to the store, and this process sees no byte of them.
//
//     UPLOADS=s3://inbox PORT=8000 node app.mjs
import {execFile} from 'node:child_process'
import {randomUUID} from 'node:crypto'
import {createServer} from 'node:http'
import {promisify} from 'node:util'

const {SKYLIFT = 'skylift', UPLOADS = 's3://inbox', PORT = '8000', HOST = '127.0.0.1'} = process.env
const LARGEST = 50 * 2 ** 30
// From here on a ticket: parts in parallel, and an upload that is cut goes on.
const LARGE = 100 * 2 ** 20

const run = promisify(execFile)

/** Ends a request with a status. */
class Refusal extends Error {
  constructor(status, message, options) {
    super(message, options)
    this.status = status
  }
}

/** Runs Skylift without a shell: no word of a visitor is ever read as a command. */
async function skylift(...words) {
  try {
    // A ticket for a large file names thousands of parts.
    const {stdout} = await run(SKYLIFT, [...words, '--json'], {timeout: 30_000, maxBuffer: 2 ** 25})
    return JSON.parse(stdout)
  } catch (cause) {
    // It tells why on stdout, as JSON.
    process.stderr.write(`${cause.stdout || cause.message}\n`)
    throw new Refusal(502, 'The upload cannot be prepared.', {cause})
  }
}

/** Reads what a visitor wants to upload. What is signed is what was looked at here. */
function readWish(text) {
  let wish
  try {
    wish = JSON.parse(text)
  } catch {
    throw new Refusal(400, 'That is no JSON.')
  }
  const {name, size, type} = wish ?? {}
  const isSize = Number.isSafeInteger(size) && size >= 0 && size <= LARGEST
  const isType = typeof type === 'string' && /^[a-z]+\/[a-z0-9.+-]+$/.test(type)
  if (typeof name !== 'string' || !isSize || !isType) throw new Refusal(400, 'Name, size and type are wanted.')
  const safe = name.replaceAll(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '')
  return {name: safe.slice(-100) || 'file', size, type}
}

async function beginUpload(text) {
  // Here you would ask who this is, and whether they may.
  const {name, size, type} = readWish(text)
  // A key of our own: whatever the file is called, it replaces nothing.
  const signed = [`${UPLOADS}/${randomUUID()}/${name}`, `--content-type=${type}`]
  if (size < LARGE) {
    const words = ['--method=PUT', `--content-length=${size}`, '--expires=15m']
    const {key, expires, method, url, headers} = await skylift('temp-url', ...signed, ...words)
    return {key, expires, method, url, headers}
  }
  const {key, expires, ticket} = await skylift('ticket', 'create', ...signed, `--file-size=${size}`, '--expires=12h')
  return {key, expires, ticket}
}

async function readBody(request) {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) {
    text += piece
    if (text.length > 10_000) throw new Refusal(413, 'That is more than a wish.')
  }
  return text
}

async function answer(request) {
  if (request.method === 'GET' && request.url === '/') return {message: 'POST /uploads with name, size and type.'}
  if (request.method === 'POST' && request.url === '/uploads') return beginUpload(await readBody(request))
  throw new Refusal(404, 'There is nothing here.')
}

const server = createServer((request, response) => {
  const send = (status, value) =>
    response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(value))
  answer(request).then(
    value => send(200, value),
    error => {
      if (error instanceof Refusal) return send(error.status, {error: error.message})
      process.stderr.write(`${error.stack}\n`)
      return send(500, {error: 'Something went wrong.'})
    },
  )
})
server.listen(Number(PORT), HOST)
