import {expect} from 'chai'
import {printable} from '../../../src/core/printable.ts'
import type {Bench} from './bench.ts'
import {byBytes, collect, failureOf, keysOf, newCall} from './bench.ts'

/** Keys that some layer somewhere decodes, folds, trims or cuts. */
export const ODD_KEYS: readonly string[] = [
  'with space',
  ' leading and trailing ',
  'two  spaces',
  'plus+plus',
  '100%',
  '%20',
  '%2F',
  '%25',
  '%zz',
  'what?',
  'what?a=b&c=d',
  '#hash',
  '&amp;',
  'a&b=c;d,e:f@g$h!i*j(k)l~m|n^o`p{q}r[s]',
  '<b>"quoted"</b>',
  "it's",
  'back\\slash',
  '.',
  '..',
  './a',
  '../a',
  'a/./b',
  'a/../b',
  'a/..',
  '.hidden',
  '...',
  '//',
  'a//b',
  '/leading',
  'trailing/',
  '/',
  'Ärger \u00FC (NFC)',
  'A\u0308rger u\u0308 (NFD)',
  '漢字かな',
  'emoji 🚀👩‍🚀',
  'uploads',
  'uploads=&partNumber=1',
  'x'.repeat(1024),
  'ü'.repeat(512),
]

/** Every key means exactly itself. */
export function describeKeys(bench: Bench): void {
  const refused = bench.options.refusedKeys ?? []
  const broken = bench.options.brokenKeys ?? []
  const taken = ODD_KEYS.filter(key => !refused.includes(key) && !broken.includes(key))

  describe('keys', () => {
    for (const key of taken) {
      bench.it(['keys'], `takes ${titleOf(key)} as it stands`, async () => {
        const target = bench.at(key)
        const bytes = Buffer.from(`the object ${key}`)
        const stored = await bench.put(target, bytes)
        expect(stored.target.key).to.equal(key)
        expect(String(await bench.readBack(target))).to.equal(String(bytes))
        if (!bench.lacks('head')) {
          expect(await bench.store.head(target, newCall())).to.deep.include({size: bytes.length, target})
        }
      })
    }

    for (const key of refused) {
      bench.it(['keys'], `refuses ${titleOf(key)} and takes it for no other`, async () => {
        const before = await listAll(bench)
        await failureOf(bench.put(bench.at(key), Buffer.from('x')), 'usage', 'unsupported')
        expect(await listAll(bench)).to.deep.equal(before)
      })
    }

    bench.it(['keys', 'list'], 'lists them all, each as it stands', async () => {
      const listed = keysOf(await collect(bench.store.list(bench.at(''), newCall())))
      expect(listed).to.include.members(taken)
      expect(listed).to.deep.equal(listed.toSorted(byBytes))
      if (bench.opened.foreign !== undefined) expect(listed).to.deep.equal(await bench.opened.foreign.list())
    })

    bench.it(['keys', 'deleteObject'], 'deletes each, and no other', async function () {
      this.timeout(60_000)
      for (const key of taken) await bench.store.deleteObject(bench.at(key), newCall())
      if (!bench.lacks('list')) expect(await listAll(bench)).not.to.include.members(taken)
      for (const key of taken) expect(await bench.readBack(bench.at(key)), key).to.equal(undefined)
    })

    bench.it(['keys'], 'refuses a key of 1,025 bytes, or characters where these count', async () => {
      await failureOf(bench.put(bench.at('x'.repeat(1025)), Buffer.from('x')), 'usage')
      const {keyUnit} = await bench.store.limits(newCall())
      const wide = 'ü'.repeat(keyUnit === 'characters' ? 1024 : 512)
      await failureOf(bench.put(bench.at(`${wide}x`), Buffer.from('x')), 'usage')
    })
  })
}

async function listAll(bench: Bench): Promise<readonly string[]> {
  return bench.opened.foreign?.list() ?? keysOf(await collect(bench.store.list(bench.at(''), newCall())))
}

function titleOf(key: string): string {
  return key.length > 60 ? `a key of ${Buffer.byteLength(key)} bytes (${key.slice(0, 1)}…)` : `"${printable(key)}"`
}
