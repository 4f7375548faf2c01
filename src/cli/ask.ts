import {createInterface} from 'node:readline/promises'
import {Writable} from 'node:stream'
import {Failure} from '../core/failure.ts'

/** True where somebody can answer. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** Asks on the terminal and returns what was typed. Fails `usage` where nobody can answer, naming the way around. */
export async function ask(question: string, otherwise = 'Say -y to go on without being asked.'): Promise<string> {
  if (!canAsk()) {
    throw new Failure('usage', `This asks, and there is no terminal: ${question}`, {suggestion: otherwise})
  }
  return askWith(createInterface({input: process.stdin, output: process.stderr}), `${question} `)
}

/** Asks for a secret: nothing that is typed is shown. Where it comes by a pipe, it is read to its end. */
export async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY) return readSecretLine()
  const nowhere = new Writable({write: (_piece, _encoding, done) => done()})
  // Before the question is seen: until then the terminal itself shows what is typed.
  const terminal = createInterface({input: process.stdin, output: nowhere, terminal: true})
  process.stderr.write(`${question} `)
  try {
    return await askWith(terminal, '')
  } finally {
    process.stderr.write('\n')
  }
}

/** More than any secret has; a file that was given by mistake ends here. */
const LONGEST_SECRET = 64 * 1024

async function readSecretLine(): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > LONGEST_SECRET) throw new Failure('usage', 'What came by stdin is too long for a secret.')
    pieces.push(piece)
  }
  const secret = Buffer.concat(pieces)
    .toString('utf8')
    .replace(/\r?\n$/u, '')
  if (/[\r\n]/u.test(secret)) throw new Failure('usage', 'What came by stdin has several lines, and a secret has one.')
  return secret
}

async function askWith(terminal: ReturnType<typeof createInterface>, question: string): Promise<string> {
  try {
    // After Ctrl-C or Ctrl-D the question itself would never be settled.
    const left = new Promise<never>((_, reject) => terminal.once('close', () => reject(notDone())))
    return (await Promise.race([terminal.question(question), left])).trim()
  } finally {
    terminal.close()
  }
}

/** Fails `interrupted` unless the person says yes. */
export async function confirm(question: string): Promise<void> {
  const answer = await ask(`${question} [y/N]`)
  if (!/^y(?:es)?$/iu.test(answer)) throw notDone()
}

/** Fails `interrupted` unless the person types this very word. */
export async function confirmByName(question: string, name: string): Promise<void> {
  if ((await ask(`${question} Type its name to go on:`)) !== name) throw notDone()
}

function notDone(): Failure {
  return new Failure('interrupted', 'Nothing was done.')
}
