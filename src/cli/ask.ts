import {createInterface} from 'node:readline/promises'
import {Failure} from '../core/failure.ts'

/** Asks on the terminal and returns what was typed. Fails `usage` where nobody can answer, naming the way around. */
export async function ask(question: string, otherwise = 'Say -y to go on without being asked.'): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Failure('usage', `This asks, and there is no terminal: ${question}`, {suggestion: otherwise})
  }
  const terminal = createInterface({input: process.stdin, output: process.stderr})
  try {
    // After Ctrl-C or Ctrl-D the question itself would never be settled.
    const left = new Promise<never>((_, reject) => terminal.once('close', () => reject(notDone())))
    return (await Promise.race([terminal.question(`${question} `), left])).trim()
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
