import {spawn} from 'node:child_process'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'

/** What a credential process answers: the shape that AWS has for it, whatever the provider. */
export interface ProcessCredentials {
  readonly accessKeyId?: string
  /** The secret of the remote: a secret access key, a password, an API key. */
  readonly secret: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** A person may have to touch a key or type into a window meanwhile. */
const LONGEST = 2 * 60_000
const MAX_ANSWER = 1024 * 1024

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
/** Runs an external command in a shell and reads its JSON. Fails `auth` when it fails, `config` for another answer. */
export async function runCredentialProcess(
  command: string,
  remote: string,
  longest = LONGEST,
): Promise<ProcessCredentials> {
  const name = printable(remote)
  // Neither its stdin nor its words are ours: content may come by stdin, and stderr may be read by a program.
  const child = spawn(command, {shell: true, stdio: ['ignore', 'pipe', process.stderr.isTTY ? 'inherit' : 'ignore']})
  const stop = (): void => {
    child.kill('SIGKILL')
    // What the shell started lives on, and may keep its stdout open for as long as it likes.
    child.stdout?.destroy()
  }
  const timer = setTimeout(stop, longest)
  const pieces: Buffer[] = []
  let size = 0
  child.stdout?.on('data', (piece: Buffer) => {
    size += piece.length
    if (size > MAX_ANSWER) stop()
    else pieces.push(piece)
  })
  const ending = await new Promise<string | undefined>(resolve => {
    child.once('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message))
    child.once('close', (status, signal) => resolve(status === 0 ? undefined : (signal ?? `status ${status}`)))
  })
  clearTimeout(timer)
  if (ending !== undefined) {
    throw new Failure('auth', `The credential process of the remote "${name}" failed (${ending}).`, {
      suggestion: `Run it by itself to see why; its words stand in: skylift remote show ${name}`,
    })
  }
  return readAnswer(Buffer.concat(pieces).toString('utf8'), name)
}

function readAnswer(text: string, name: string): ProcessCredentials {
  const answer = parseObject(text)
  const word = (key: string): string | undefined => {
    const value = answer?.[key]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const [secret, accessKeyId, sessionToken, ends] = [
    word('SecretAccessKey'),
    word('AccessKeyId'),
    word('SessionToken'),
    word('Expiration'),
  ]
  if (answer?.['Version'] !== 1 || secret === undefined || (ends !== undefined && Number.isNaN(Date.parse(ends)))) {
    // Nothing of what it said: a secret may stand in it.
    throw new Failure('config', `The credential process of the remote "${name}" does not answer as it must.`, {
      suggestion:
        'It prints {"Version": 1, "AccessKeyId": "…", "SecretAccessKey": "…"}, and may add SessionToken and Expiration.',
    })
  }
  return {
    secret,
    ...(accessKeyId === undefined ? {} : {accessKeyId}),
    ...(sessionToken === undefined ? {} : {sessionToken}),
    ...(ends === undefined ? {} : {expiration: new Date(ends)}),
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
