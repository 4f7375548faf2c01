#!/usr/bin/env node
const {enableCompileCache} = require('node:module')
const {join} = require('node:path')
const {pathToFileURL} = require('node:url')

// A temp URL is good for whoever reads it, and everybody on this machine can read the words of a command. First of all,
// since loading takes longer than looking.
const words = process.argv.slice(2)
const named = words.map(word => word.replace(/(https?:\/\/[^?#]*)[?#].*/isu, '$1?…'))
if (named.some((word, index) => word !== words[index])) process.title = ['skylift', ...named].join(' ')

// V8 gives young objects ever more room, up to 32 MiB, however few of them live on. Whoever sends so much that a thread
// sums it has room enough by then. Only once the thread runs: with each, V8 takes to its own mind again.
process.on('worker', worker =>
  worker.once('online', () => {
    // The newest that was seen to know the flag; another would complain.
    if (Number.parseInt(process.versions.node, 10) > 24) return
    const {setFlagsFromString} = require('node:v8')
    setFlagsFromString('--semi-space-growth-factor=1')
  }),
)

/** From Node 22.1 on, what was compiled once is kept; before, a build brings it along. */
function loadCompiled() {
  if (enableCompileCache === undefined)
    return require('./compiled.js')
      .openCompiled(join(__dirname, '..', 'dist'))
      ?.load('run.js')
  enableCompileCache()
  return undefined
}

async function start() {
  const program = loadCompiled()
  // Two copies of oclif do not know each other's failures.
  const {run} = program === undefined || program.needsAll() ? await import('../dist/run.js') : program
  await run(pathToFileURL(__filename).href)
}

void start()
