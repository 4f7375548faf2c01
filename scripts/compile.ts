/** Brings along what V8 makes of our scripts, for Node 20, which keeps nothing of the kind by itself. */
import {readdirSync, readFileSync, writeFileSync} from 'node:fs'
import module from 'node:module'
import {join} from 'node:path'
import {setFlagsFromString} from 'node:v8'
import {Script} from 'node:vm'
import {transform} from 'esbuild'
import {ENGINE} from '../bin/compiled.js'

/** What every file of the bundle begins with, for the CommonJS that is in it. */
export const BANNER = "import {createRequire as __cr} from 'node:module';const require=__cr(import.meta.url);"

/** As bin/compiled.js reads it; places are those behind the head. */
interface Entry {
  readonly at: number
  readonly text: number
  readonly code: number
}

/**
 * Writes `compiled.bin` for bin/compiled.js beside the scripts of a build. All functions are compiled, not those alone that
 * run: starts were as quick as with what a run had compiled, and nothing has to run.
 */
export async function compileScripts(folder: string): Promise<void> {
  if ('enableCompileCache' in module) return
  const names = ['run.js', ...readdirSync(join(folder, 'chunks')).map(name => `chunks/${name}`)]
  const texts = await Promise.all(names.map(name => toScript(readFileSync(join(folder, name), 'utf8'))))
  setFlagsFromString('--no-lazy')
  const compiled = texts.map(text => ({text: Buffer.from(text, 'latin1'), script: new Script(text)}))
  // V8 takes no code that was written under other flags.
  setFlagsFromString('--lazy')
  const pieces = compiled.map(({text, script}) => ({text, code: script.createCachedData()}))
  const scripts: Record<string, Entry> = {}
  let at = 0
  for (const [index, {text, code}] of pieces.entries()) {
    scripts[names[index] ?? ''] = {at, text: text.length, code: code.length}
    at += text.length + code.length
  }
  const head = Buffer.from(JSON.stringify({engine: ENGINE, scripts}), 'latin1')
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  const bodies = pieces.flatMap(({text, code}) => [text, code])
  writeFileSync(join(folder, 'compiled.bin'), Buffer.concat([length, head, ...bodies]))
}

/** What is imported by a name that is known now comes by `require`; all else as it always does. */
async function toScript(code: string): Promise<string> {
  const own = code.replace(BANNER, '').replaceAll(/\bimport\((?!\)|"(?:\.\/|node:))/gu, '__import(')
  const {code: script} = await transform(own, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    charset: 'ascii',
    define: {'import.meta.url': '__url'},
    supported: {'dynamic-import': false},
    legalComments: 'none',
  })
  return `(function(exports,require,module,__url,__import){"use strict";${script}\n})`
}
