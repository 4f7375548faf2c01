import {readdirSync, readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** Names of variables that hold something nobody else may know. */
const NAMES = /SECRET|PASSWORD|TOKEN|API_KEY|^ST_KEY$|TEMP_URL_KEY/u
/** Whatever is shorter stands in other words by chance. */
const SHORTEST = 6
const LONGEST_FILE = 1024 * 1024

/** What a signed URL, a form, or a request cannot do without. */
const SIGNATURES =
  /(?:x-amz-|temp_url_)?sig(?:nature)?(?:=|%3D|"\s*:\s*")[\da-f]{16}|AWS4-HMAC-SHA256 Credential=|"x-amz-signature"|x-auth-token: ?\S/iu

/** Commands and flags whose result is a signed URL. */
const MAKES_URLS = /^(?:link|temp-url|presign|--link|--post)$/u
const MAKES_TICKETS = ['create', 'renew']

/** Returns the secrets in an environment in every form in which they may be written down. */
export function secretsOf(env: Env): readonly string[] {
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (!NAMES.test(name) || value.length < SHORTEST) return []
    const base64 = Buffer.from(value).toString('base64')
    return [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), base64.replace(/=+$/u, '')]
  })
}

/** Fails where a text holds a secret of the environment. */
export function checkSecrets(where: string, text: string, env: Env): void {
  for (const secret of secretsOf(env)) {
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) {
      const around = `${text[at - 1] ?? ' '}${text[at + secret.length] ?? ' '}`
      // A piece of a longer word is another word.
      if (!/[a-z\d]/iu.test(around)) throw new Error(`A secret is in ${where}: ${text}`)
    }
  }
}

export function checkSignatures(where: string, text: string): void {
  if (SIGNATURES.test(text)) throw new Error(`A signature is in ${where}: ${text}`)
}

export interface Said {
  readonly stdout: string
  readonly stderr: string
}

/** Whatever a test is about: no output holds a secret, or a signature where none was asked for. */
export function checkOutput({stdout, stderr}: Said, env: Env, argv: readonly string[]): void {
  checkSecrets('stdout', stdout, env)
  checkSecrets('stderr', stderr, env)
  checkSignatures('stderr', stderr)
  if (!isAskedFor(argv)) checkSignatures('stdout', stdout)
}

function isAskedFor(argv: readonly string[]): boolean {
  const isTicket = argv[0] === 'ticket' && MAKES_TICKETS.includes(argv[1] ?? '')
  return isTicket || argv.some(word => MAKES_URLS.test(word))
}

/** No file of the state folder holds either: journals, findings, locks. */
export function checkStateFolder(env: Env, argv: readonly string[]): void {
  const flag = argv.indexOf('--state-dir')
  const folder = flag < 0 ? env['SKYLIFT_STATE_DIR'] : argv[flag + 1]
  if (folder === undefined) return
  for (const path of listFiles(folder)) {
    const text = readStart(path)
    checkSecrets(path, text, env)
    checkSignatures(path, text)
  }
}

/** Flags that name a file which the command writes for others: tickets, pages, receipts, results. */
const WRITES = ['-o', '--output', '--receipt', '--results']

/** A signed URL may stand in what was asked for, the key that signed it may not. */
export function checkWritten(env: Env, argv: readonly string[], cwd: string): void {
  const flags = argv.flatMap((word, index) => (WRITES.includes(word) ? (argv[index + 1] ?? []) : []))
  for (const path of [...flags, env['GITHUB_STEP_SUMMARY'] ?? []].flat()) {
    checkSecrets(path, readStart(resolve(cwd, path)), env)
  }
}

/** Nor do the words of a process, which everybody on the machine can read. */
export function checkCommandLine(pid: number | undefined, env: Env): void {
  const words = readStart(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
  checkSecrets('the command line', words, env)
  checkSignatures('the command line', words)
}

function listFiles(folder: string): string[] {
  try {
    const found = readdirSync(folder, {recursive: true, withFileTypes: true})
    return found.filter(each => each.isFile()).map(each => join(each.parentPath, each.name))
  } catch {
    // None there, or none that may be read.
    return []
  }
}

function readStart(path: string): string {
  try {
    return readFileSync(path).subarray(0, LONGEST_FILE).toString('utf8')
  } catch {
    // Gone meanwhile, or there is no /proc.
    return ''
  }
}
