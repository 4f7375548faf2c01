import * as fc from 'fast-check'

/** What breaks readers: other alphabets, controls, marks that reorder, halves of pairs, names of prototypes. */
const ODD = [
  '',
  ' ',
  '\0',
  '\t',
  '\n',
  '\r\n',
  '\u001B[2J',
  '\u0085',
  '\u009B',
  '\u200B',
  '\u202E',
  '\u2028',
  '\uFEFF',
  '\uD800',
  '\uFFFD',
  '🚀',
  'é',
  '%',
  '%00',
  '%2e%2e',
  '../',
  '__proto__',
  'constructor',
  'toString',
  '-1',
  '0',
  '1e309',
  '9'.repeat(40),
  '0x10',
  'NaN',
]

/** Any characters, any bytes that were taken for UTF-8, and sequences of the words that mean something to a parser. */
export function anyText(words: readonly string[] = [], maxLength = 200): fc.Arbitrary<string> {
  const word = fc.constantFrom(...words, ...ODD)
  const piece = fc.oneof({arbitrary: word, weight: 4}, fc.string({unit: 'binary', maxLength: 4}))
  return fc.oneof(
    fc.uint8Array({maxLength}).map(bytes => Buffer.from(bytes).toString('utf8')),
    fc.string({unit: 'binary', maxLength}),
    fc.array(piece, {maxLength: 40}).map(pieces => pieces.join('')),
  )
}

interface Edit {
  readonly at: number
  readonly size: number
  readonly kind: 'cut' | 'put' | 'replace' | 'double' | 'end' | 'flip'
  readonly text: string
}

/** Real samples with a few edits: pieces cut, doubled, replaced by odd ones, bits flipped, the end torn off. */
export function mutated(samples: readonly string[], words: readonly string[] = []): fc.Arbitrary<string> {
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: fc.double({min: 0, max: 1, noNaN: true}),
    size: fc.nat({max: 30}),
    kind: fc.constantFrom('cut', 'put', 'replace', 'double', 'end', 'flip'),
    text: fc.oneof(fc.constantFrom(...words, ...ODD), fc.string({unit: 'binary', maxLength: 3})),
  })
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(edit, {minLength: 1, maxLength: 5}))
    .map(([sample, edits]) => edits.reduce(applyEdit, sample))
}

function applyEdit(text: string, {at: place, size, kind, text: odd}: Edit): string {
  const at = Math.floor(place * text.length)
  const [before, piece, after] = [text.slice(0, at), text.slice(at, at + size), text.slice(at + size)]
  switch (kind) {
    case 'cut':
      return before + after
    case 'put':
      return before + odd + piece + after
    case 'replace':
      return before + odd + after
    case 'double':
      return before + piece + piece + after
    case 'end':
      return before
    default:
      return before + String.fromCharCode((piece.charCodeAt(0) || 0) ^ (1 << (size % 8))) + text.slice(at + 1)
  }
}

/** What may stand in a JSON document where something else is expected. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  2 ** 53,
  '',
  'x',
  '0',
  '\u001B]0;x\u0007',
  'x'.repeat(3000),
  [],
  [null],
  [[]],
  {},
  {toString: 1, valueOf: 1},
  {length: -1},
  JSON.parse('{"__proto__": {"x": 1}}'),
  '1970-01-01T00:00:00Z',
  '9999-99-99T99:99:99Z',
  'http://%zz:99999/',
]

/** Real documents in which a few values are others, gone, or doubled, whatever their place. */
export function mutatedJson(samples: readonly unknown[]): fc.Arbitrary<string> {
  const change = fc.record({
    path: fc.array(fc.nat({max: 20}), {minLength: 1, maxLength: 5}),
    kind: fc.constantFrom('set', 'set', 'set', 'delete', 'add'),
    value: fc.oneof(
      {arbitrary: fc.constantFrom(...ODD_VALUES), weight: 4},
      fc.jsonValue({maxDepth: 2}) as fc.Arbitrary<unknown>,
    ),
  })
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(change, {minLength: 1, maxLength: 4}))
    .map(([sample, changes]) => {
      const holder = {root: structuredClone(sample)}
      for (const {path, kind, value} of changes) applyChange(holder, path, kind, structuredClone(value))
      return JSON.stringify(holder.root) ?? 'null'
    })
}

function applyChange(holder: {root: unknown}, path: readonly number[], kind: string, value: unknown): void {
  let place: Record<string, unknown> = holder
  let name = 'root'
  for (const step of path) {
    const below = place[name]
    if (typeof below !== 'object' || below === null || Object.keys(below).length === 0) break
    const names = Object.keys(below)
    place = below as Record<string, unknown>
    name = names[step % names.length] ?? name
  }
  if (kind === 'delete') delete place[name]
  else if (kind === 'add') place[`${name}x`] = value
  else place[name] = value
}

/** Documents as they may come: sound ones changed, torn ones, other ones, and no JSON at all. */
export function anyDocument(samples: readonly unknown[], maxLength = 200): fc.Arbitrary<string> {
  const texts = samples.map(sample => JSON.stringify(sample))
  return fc.oneof(
    {arbitrary: mutatedJson(samples), weight: 6},
    {arbitrary: mutated(texts, ['{', '}', '[', ']', '"', ':', ',', 'null']), weight: 2},
    fc.jsonValue().map(value => JSON.stringify(value)),
    anyText(['{', '}', '[', ']', '"', 'null'], maxLength),
  )
}
