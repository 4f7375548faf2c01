/**
 * Makes the package of what the repository is: one bundle without dependencies, with the licences of all that is in it.
 * `package.json` keeps its dependencies for whoever works here; `postpack` puts it back.
 */
import {copyFileSync, existsSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {collectLicences} from './licences.ts'
import {emitTypes} from './types.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MANIFEST = join(ROOT, 'package.json')
const KEPT = join(ROOT, 'package.json.kept')

/** What only matters to those who work on Skylift. */
const DROPPED = ['dependencies', 'devDependencies', 'scripts']

function pack(): void {
  // One that was killed half-way left the true one beside.
  if (existsSync(KEPT)) renameSync(KEPT, MANIFEST)
  copyFileSync(MANIFEST, KEPT)
  const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as Record<string, unknown>
  const published = Object.fromEntries(Object.entries(manifest).filter(([name]) => !DROPPED.includes(name)))
  emitTypes(ROOT)
  writeFileSync(join(ROOT, 'dist', 'LICENSES.txt'), collectLicences(ROOT))
  writeFileSync(MANIFEST, `${JSON.stringify(published, null, 2)}\n`)
}

if (process.argv[2] === 'post') {
  if (existsSync(KEPT)) renameSync(KEPT, MANIFEST)
} else pack()
