import {execFileSync} from 'node:child_process'
import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join, posix} from 'node:path'

const IMPORT = /(?<=\bfrom ['"]|\bimport\(['"])(\.[^'"]+)\.ts(?=['"])/gu

/** Writes the declarations of what another program may import, and of nothing that they do not lead to. */
export function emitTypes(root: string): void {
  const folder = join(root, 'dist', 'types')
  rmSync(folder, {recursive: true, force: true})
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.types.json'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const reached = new Set<string>()
  visit('index.d.ts')
  for (const path of readdirSync(folder, {recursive: true, encoding: 'utf8'})) {
    if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(join(folder, path))
  }

  function visit(path: string): void {
    if (reached.has(path)) return
    reached.add(path)
    const text = readFileSync(join(folder, path), 'utf8')
    for (const [, to = ''] of text.matchAll(IMPORT)) visit(posix.join(posix.dirname(path), `${to}.d.ts`))
    // Compilers of other settings do not take an import that ends in .ts.
    writeFileSync(join(folder, path), text.replaceAll(IMPORT, '$1.js'))
  }
}
