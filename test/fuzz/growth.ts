import {isFailure} from '../../src/core/failure.ts'
import {callInTime, RUNS} from './fuzz.ts'

const SIZES = [64, 512, 8192, 32_768]
/** Below it nobody waits, and the clock says nothing. */
const NOTICEABLE = 80
/** Four times the input in ten times the time is more than linear; the square would be sixteen. */
const STEEP = 10

/** Whether every pair of words is tried at every place too. */
const IS_LONG = RUNS > 2000

/** Returns inputs that grow: one word, or two in turn, alone and in the midst of a sample. */
function* makers(words: readonly string[], samples: readonly string[]): Generator<(size: number) => string> {
  const pairs = words.flatMap(first => words.filter(each => each !== first).map(second => first + second))
  for (const word of [...words, ...pairs]) {
    const repeat = (size: number): string => word.repeat(Math.ceil(size / word.length))
    yield repeat
    if (!IS_LONG && !words.includes(word)) continue
    for (const sample of samples) {
      for (const part of [0.1, 0.5, 0.9, 1]) {
        const at = Math.floor(sample.length * part)
        yield size => sample.slice(0, at) + repeat(size) + sample.slice(at)
      }
    }
  }
}

/** Fails where a parser's time grows faster than its input. What it throws is no matter here. */
export function expectLinear(
  parse: (text: string) => unknown,
  words: readonly string[],
  samples: readonly string[],
): void {
  for (const make of makers(words, samples)) {
    for (const size of SIZES) {
      const elapsed = measure(parse, make(size))
      if (elapsed < NOTICEABLE) continue
      // A machine that is busy for a moment is no finding: the quickest of three tells.
      const [long, short] = [measureBest(parse, make(size)), measureBest(parse, make(size / 4))]
      if (long >= NOTICEABLE && long / Math.max(short, 0.01) > STEEP) {
        const from = JSON.stringify(make(64))
        throw new Error(`${size} characters like ${from} take ${long} ms, and a quarter of them ${short} ms.`)
      }
      break
    }
  }
}

function measureBest(parse: (text: string) => unknown, text: string): number {
  return Math.min(measure(parse, text), measure(parse, text), measure(parse, text))
}

/** Returns the milliseconds that it worked: what else runs on the machine is no matter. */
function measure(parse: (text: string) => unknown, text: string): number {
  const before = process.cpuUsage()
  try {
    callInTime(() => parse(text))
  } catch (error) {
    if ((error as {code?: string}).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      throw new Error(`${text.length} characters like ${JSON.stringify(text.slice(0, 100))} never end.`, {cause: error})
    }
    if (!isFailure(error) && !(error instanceof Error)) throw error
  }
  const {user, system} = process.cpuUsage(before)
  return (user + system) / 1000
}
