import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/** Returns the licence of every package that has a file in the bundle; one text for all that share it. */
export function collectLicences(root: string): string {
  const {inputs} = JSON.parse(readFileSync(join(root, 'dist', 'inputs.json'), 'utf8')) as Metafile
  const folders = new Set(
    Object.keys(inputs).flatMap(
      path => /^(?:.*node_modules\/)(?:@[^/]+\/[^/]+|[^/]+)(?=\/)/u.exec(path.split('?')[0] ?? '') ?? [],
    ),
  )
  const packages = new Map<string, string[]>()
  for (const folder of [...folders].sort()) {
    const {name, version, license = 'no licence named'} = readManifest(join(root, folder))
    const {terms, copyrights} = splitLicence(readLicence(join(root, folder)) ?? license)
    const holder = [`${name} ${version} (${license})`, ...copyrights].join('\n    ')
    packages.set(terms, [...(packages.get(terms) ?? []), holder])
  }
  const chapters = [...packages].map(([terms, holders]) => `${holders.join('\n')}\n\n${terms}\n`)
  return `Skylift's bundle holds code of these packages.\n\n${chapters.join(`\n${'-'.repeat(80)}\n\n`)}`
}

/** The terms are the same for hundreds; who holds the copyright is not. */
function splitLicence(text: string): {readonly terms: string; readonly copyrights: readonly string[]} {
  // What follows the end of Apache's terms tells how to apply them.
  const body = text.replace(/(?<=END OF TERMS AND CONDITIONS)[\s\S]*/u, '')
  const lines = body.split('\n').map(line => line.trim())
  const isHolder = (line: string): boolean => /^(?:copyright \(?(?:c|©|\d)|©)/iu.test(line)
  return {
    terms: lines
      .filter(line => !isHolder(line))
      .join('\n')
      .replaceAll(/\n{2,}/gu, '\n\n')
      .trim(),
    copyrights: text.split('\n').flatMap(line => (isHolder(line.trim()) ? [line.trim()] : [])),
  }
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

function readLicence(folder: string): string | undefined {
  const file = readdirSync(folder).find(name => /^(?:licen[cs]e|copying)(?:\.|$|-)/iu.test(name))
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8')
}
