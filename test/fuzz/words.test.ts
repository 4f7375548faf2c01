import * as fc from 'fast-check'
import {parseExpiry} from '../../src/cli/expiry.ts'
import {checkOrigin} from '../../src/cli/cors-rule.ts'
import {annotate, cell, disarm} from '../../src/cli/github.ts'
import {chooseLinkName} from '../../src/cli/link-name.ts'
import {parseDuration} from '../../src/core/durations.ts'
import {hasWildcards, parseGlob} from '../../src/core/glob.ts'
import {printable} from '../../src/core/printable.ts'
import {parseSize} from '../../src/core/sizes.ts'
import {nameDestination, parseDestination, parseTarget} from '../../src/core/target.ts'
import {fuzz} from './fuzz.ts'
import {expectLinear} from './growth.ts'
import {anyText, mutated} from './inputs.ts'

interface Words {
  readonly name: string
  readonly parse: (text: string) => unknown
  readonly samples: readonly string[]
  readonly words: readonly string[]
}

function tryGlob(text: string): void {
  hasWildcards(text)
  const {matches, matchesFolder, mayHold} = parseGlob(text)
  for (const name of [
    'a/b/c.txt',
    '.a/b',
    'a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/b',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab',
    '',
  ]) {
    matches(name)
    matchesFolder(name)
    mayHold(name)
  }
}

/** What a person types, or a script passes on from somebody else. */
const ALL: readonly Words[] = [
  {
    name: 'a destination',
    parse(text) {
      nameDestination(text)
      parseDestination(text)
    },
    samples: ['s3://box/a/b.txt', 'my-remote://c//x', 'ticket:disk.json', 'https://host/p?X-Amz-Signature=abc#f'],
    words: ['s3', '://', '/', 'ticket:', 'https', '?', '#', '-', 'a'],
  },
  {name: 'a target', parse: parseTarget, samples: ['s3://box/a/b.txt'], words: ['s3', '://', '/', '-', 'a']},
  {name: 'a size', parse: parseSize, samples: ['64M', '1.5GiB', '1048576'], words: ['1', '.', 'M', 'iB', ' ', 'e']},
  {
    name: 'a duration',
    parse: parseDuration,
    samples: ['1h30m', '7d', 'P1DT2H', '90', '1 year 2 months'],
    words: ['1', '.', 'h', 'm', 'month', 'P', 'T', 'D', ' ', 'ms'],
  },
  {
    name: 'an expiry',
    parse: text => parseExpiry(text),
    samples: ['2999-12-31', '2999-12-31T18:00:00Z', '2999-12-31 18:00+0100', '12h'],
    words: ['2999', '-', '12', 'T', ':', 'Z', '+', '.', '9'],
  },
  {
    name: 'a pattern',
    parse: tryGlob,
    samples: ['src/**/*.{ts,js}', '[a-z]?*', '{a,{b,c}}/**', String.raw`\*\{`],
    words: ['*', '**', '/', '**/', '*a', '[', ']', '{', '}', ',', '?', '\\', '!', 'a', '[a', '{a,b}'],
  },
  {
    name: 'an origin',
    parse: checkOrigin,
    samples: ['https://*.example.com:8443', 'null', 'http://[::1]:80'],
    words: ['https', '://', '.', '*', ':', '80', '[', ']', 'a', '-'],
  },
  {
    name: 'a file name of a link',
    parse: text => [chooseLinkName(text, {remote: 's3', container: 'c', key: text}, true)],
    samples: ['backup.tar.gz', 'résumé, v2.tar'],
    words: ['.', 'tar', 'a', '1', '/', '.tar', '.gz'],
  },
  {
    name: 'text for a log of GitHub',
    parse: text => [disarm(text), cell(text), annotate(text, text), printable(text)],
    samples: ['::error::x', '##[set-output name=x]y'],
    words: ['::', ':', '##[', '\n', ' ', '%', 'a', '\t'],
  },
]

describe('fuzz: words', function () {
  this.timeout(0)
  for (const {name, parse, samples, words} of ALL) {
    it(`${name}: no crash, no hang, no failure without a name`, () => {
      fuzz(fc.oneof(anyText(words), mutated(samples, words)), parse)
    })
    it(`${name}: takes time by its length, not by its square`, () => {
      expectLinear(parse, words, samples)
    })
  }
})
