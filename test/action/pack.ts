import {execFile} from 'node:child_process'
import {cp, readFile, readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {ROOT} from '../docs/pages.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

/** Packs what was built as it is published: without dependencies. */
export async function packSkylift(): Promise<{readonly version: string; readonly tarball: Buffer}> {
  const [tree, packed] = [await makeTempFolder(), await makeTempFolder()]
  for (const name of ['bin', 'dist', 'README.md', 'LICENSE'])
    await cp(join(ROOT, name), join(tree, name), {recursive: true})
  const {
    dependencies: _,
    devDependencies: __,
    scripts: ___,
    ...manifest
  } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown> & {version: string}
  await writeFile(join(tree, 'package.json'), JSON.stringify(manifest))
  await promisify(execFile)('npm', ['pack', '--pack-destination', packed], {cwd: tree})
  const [name = ''] = await readdir(packed)
  return {version: manifest.version, tarball: await readFile(join(packed, name))}
}
