import {isIP} from 'node:net'
import {Failure} from '../../core/failure.ts'

/** Fails `usage` for what is no address and no network, by the rules of Swift, which refuses the URL without a word. */
export function checkIpRange(text: string): void {
  const [address = '', bits, ...rest] = text.split('/')
  const kind = isIP(address)
  const size = kind === 6 ? 128 : 32
  const isRange = bits === undefined || (/^\d{1,3}$/u.test(bits) && Number(bits) <= size)
  if (kind === 0 || address.includes('%') || rest.length > 0 || !isRange) {
    throw new Failure('usage', 'That is no IP address, and no range of them.', {
      suggestion: 'Write it as 203.0.113.7 or 203.0.113.0/24.',
    })
  }
  const length = Number(bits ?? size)
  const words = kind === 6 ? wordsOf(address) : address.split('.').map(Number)
  const width = size / words.length
  if (words.every((word, index) => maskWord(word, length - index * width, width) === word)) return
  throw new Failure('usage', `"${text}" is an address within a range, and not where the range begins.`, {
    suggestion:
      kind === 4 ? `Write it as ${networkOf(words, length)}.` : `Set all bits behind the first ${length} to 0.`,
  })
}

/** Keeps the first bits of a word. */
function maskWord(word: number, bits: number, width: number): number {
  const lost = Math.min(Math.max(width - bits, 0), width)
  return Math.floor(word / 2 ** lost) * 2 ** lost
}

function networkOf(words: readonly number[], length: number): string {
  return `${words.map((word, index) => maskWord(word, length - index * 8, 8)).join('.')}/${length}`
}

/** The eight words of an IPv6 address. */
function wordsOf(address: string): number[] {
  // `URL` writes an embedded IPv4 address in hex.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const read = (text: string): number[] => (text === '' ? [] : text.split(':').map(word => Number.parseInt(word, 16)))
  const [first, last] = [read(head), read(tail ?? '')]
  return [...first, ...Array.from({length: 8 - first.length - last.length}, () => 0), ...last]
}
