import {createInterface} from 'node:readline/promises'
import {Failure} from '../core/failure.ts'

/** Asks on the terminal and returns what was typed. Fails `usage` where nobody can answer, naming the way around. */
export async function ask(question: string, otherwise = 'Say -y to go on without being asked.'): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Failure('usage', `This asks, and there is no terminal: ${question}`, {suggestion: otherwise})
  }
  const terminal = createInterface({input: process.stdin, output: process.stderr})
  try {
    return (await terminal.question(`${question} `)).trim()
  } finally {
    terminal.close()
  }
}

/** Fails `interrupted` unless the person says yes. */
export async function confirm(question: string): Promise<void> {
  const answer = await ask(`${question} [y/N]`)
  if (!/^y(?:es)?$/iu.test(answer)) throw new Failure('interrupted', 'Nothing was done.')
}
