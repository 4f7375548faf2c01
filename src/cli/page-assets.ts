import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Config} from '@oclif/core'
import {Failure} from '../core/failure.ts'

/** Reads what the build made of the page's client. Fails `unexpected` where nothing was built. */
export async function readPageAssets(
  config: Config,
): Promise<{readonly main: string; readonly worker: string; readonly style: string}> {
  const read = (name: string): Promise<string> => readFile(join(config.root, 'dist', 'page', name), 'utf8')
  try {
    const [main, worker, style] = await Promise.all([read('main.js'), read('worker.js'), read('style.css')])
    return {main, worker, style}
  } catch (error) {
    throw new Failure('unexpected', 'The page is missing from this installation.', {
      cause: error,
      suggestion: 'Install Skylift anew; in a clone run: npm run build',
    })
  }
}
