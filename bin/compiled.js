const {openSync, readSync} = require('node:fs')
const {createRequire} = require('node:module')
const {join} = require('node:path')
const {pathToFileURL} = require('node:url')
const {Script} = require('node:vm')

/**
 * Opens the scripts of a build together with what V8 has made of them: Node 20 keeps nothing of the kind by itself, and to
 * compile them anew takes a third of a start. The file is a length in four bytes, a head in JSON, and for each script its
 * text, which is a function (exports, require, module, __url, __import), and its code. Undefined where there is none, and
 * where it is of another V8.
 */
function openCompiled(dist) {
  const archive = openArchive(join(dist, 'compiled.bin'))
  if (archive?.engine !== ENGINE) return undefined
  const {scripts, read} = archive
  const base = pathToFileURL(join(dist, '/')).href
  const requireOther = createRequire(base)
  const loaded = new Map()

  function compile(name) {
    const {at, text, code} = scripts[name]
    const bytes = read(at, text + code)
    return new Script(bytes.latin1Slice(0, text), {filename: join(dist, name), cachedData: bytes.subarray(text)})
  }

  /** As `require` does it: what is asked for again while it is being loaded is there as far as it got. */
  function load(name) {
    const known = loaded.get(name)
    if (known !== undefined) return known.exports
    const module = {exports: {}}
    loaded.set(name, module)
    const url = base + name
    const requireOne = id => (id.startsWith('./') ? load(new URL(id, url).href.slice(base.length)) : requireOther(id))
    const importOther = id => import(id.startsWith('.') ? new URL(id, url).href : id)
    compile(name).runInThisContext()(module.exports, requireOne, module, url, importOther)
    return module.exports
  }

  return {names: Object.keys(scripts), compile, load}
}

/** Undefined where there is none, and where its head cannot be read. */
function openArchive(file) {
  try {
    const fd = openSync(file)
    const read = (at, length) => {
      const bytes = Buffer.allocUnsafeSlow(length)
      if (readSync(fd, bytes, 0, length, at) < length) throw new Error(`${file} is cut off.`)
      return bytes
    }
    const start = 4 + read(0, 4).readUInt32LE()
    const head = JSON.parse(read(4, start - 4).toString('latin1'))
    return {...head, read: (at, length) => read(start + at, length)}
  } catch {
    return undefined
  }
}

/** V8 checks its version and flags by itself, but neither how it was built nor for what. */
const BUILD = Object.entries(process.config.variables).filter(([name]) => name.startsWith('v8_'))
const ENGINE = [process.versions.v8, process.platform, process.arch, ...BUILD.map(each => each.join('='))].join(' ')

module.exports = {ENGINE, openCompiled}
