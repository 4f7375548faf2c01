import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Surroundings} from '../stores/surroundings.ts'

/** The process as stores may see it. */
export function findSurroundings(): Surroundings {
  return {env: process.env, home: homedir()}
}

/** Journals and findings: `--state-dir`, SKYLIFT_STATE_DIR, or the state folder of the system. */
export function stateFolder({env, home}: Surroundings, wish?: string): string {
  if (wish) return wish
  if (env['SKYLIFT_STATE_DIR']) return env['SKYLIFT_STATE_DIR']
  if (env['XDG_STATE_HOME']) return join(env['XDG_STATE_HOME'], 'skylift')
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'skylift', 'state')
  if (process.platform === 'win32')
    return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'skylift', 'state')
  return join(home, '.local', 'state', 'skylift')
}
