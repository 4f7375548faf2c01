import {randomBytes} from 'node:crypto'
import {rmSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Config} from '@oclif/core'
import {Failure} from '../../core/failure.ts'
import {makeFolders} from '../../state/make-folders.ts'
import {findSurroundings, stateFolder} from '../folders.ts'
import {listRemotes, remotesFile} from '../saved-remotes.ts'
import {ok, open} from './checks.ts'
import type {Check, Finding} from './checks.ts'

/** What does not depend on any store. */
export function machineChecks(config: Config, stateDir: string | undefined): readonly Check[] {
  return [
    {name: 'node', run: () => Promise.resolve(checkNode())},
    {name: 'state folder', run: () => Promise.resolve(checkState(stateDir))},
    {name: 'remotes', run: () => checkRemotes(config)},
  ]
}

/** The AWS SDK says at its first use that it will leave Node 20; here is the place for it. */
const LEAVING = 20

function checkNode(): Finding {
  const version = process.versions.node
  if (Number(version.split('.')[0]) > LEAVING) return ok(`Node ${version}`)
  return ok(
    `Node ${version} will do`,
    'Take Node 22 or later soon: versions of the AWS SDK from January 2027 on want it, and so will Skylift with them.',
  )
}

function checkState(wish: string | undefined): Finding {
  const surroundings = findSurroundings()
  const folder = stateFolder(surroundings, wish)
  const probe = join(folder, `.doctor-${randomBytes(8).toString('hex')}`)
  try {
    makeFolders(folder)
    writeFileSync(probe, 'x', {mode: 0o600, flag: 'wx'})
    rmSync(probe)
  } catch (error) {
    const {code = ''} = error as NodeJS.ErrnoException
    throw new Failure('config', `${folder} cannot be written (${code}): no upload can go on after a break.`, {
      cause: error,
      suggestion: 'Make it writable, or name another folder with SKYLIFT_STATE_DIR or --state-dir.',
    })
  }
  const {env} = surroundings
  const isPassing = !['', '0', 'false'].includes(env['CI'] ?? '') && !env['SKYLIFT_STATE_DIR'] && wish === undefined
  return isPassing
    ? open(
        `${folder} can be written, but CI is set: it will not outlive the job`,
        'Name a folder that is cached with SKYLIFT_STATE_DIR.',
      )
    : ok(`${folder} can be written`)
}

async function checkRemotes(config: Config): Promise<Finding> {
  const path = remotesFile(config)
  const remotes = await listRemotes(config)
  const broken = remotes.find(({problem}) => problem !== undefined)
  if (broken !== undefined) throw new Failure('config', broken.problem ?? '', {suggestion: `Look at ${path}.`})
  const hasSecret = remotes.some(({saved}) => saved?.secret !== undefined && 'value' in saved.secret)
  // Windows has no such bits.
  const mode = remotes.length > 0 && process.platform !== 'win32' ? statSync(path).mode & 0o077 : 0
  if (hasSecret && mode !== 0) {
    throw new Failure('config', `${path} holds secrets, and others can read it.`, {suggestion: `chmod 600 '${path}'`})
  }
  return ok(
    remotes.length === 0 ? 'none saved' : `${remotes.length} saved: ${remotes.map(({name}) => name).join(', ')}`,
  )
}
