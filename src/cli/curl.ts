import type {Target, TempUrl} from '../stores/store.ts'
import {quoteCommand} from './shell-words.ts'

/** What stands in the command for the file to upload. */
export const FILE = 'FILE'

/** Writes the curl command that uses a temp URL, ready for a shell; an upload sends `FILE`. */
export function writeCurl(temp: TempUrl, target: Target): string {
  // Otherwise what the store says of a failure would be saved as the object.
  const fail = temp.method === 'GET' ? '--fail' : '--fail-with-body'
  return quoteCommand(['curl', fail, ...wordsFor(temp, target), temp.url])
}

function wordsFor({method, headers, fields}: TempUrl, {key}: Target): string[] {
  const isDotted = key.split('/').some(segment => segment === '.' || segment === '..')
  // curl sets the length itself, and would send it twice.
  const sent = Object.entries(headers).filter(([name]) => name !== 'content-length')
  const all = [...(isDotted ? ['--path-as-is'] : []), ...sent.flatMap(([name, value]) => ['-H', `${name}: ${value}`])]
  if (fields !== undefined) {
    // Not -F: that reads a leading @ or < and a `;type=` in the value.
    const form = Object.entries(fields).flatMap(([name, value]) => ['--form-string', `${name}=${value}`])
    return [...all, ...form, '-F', `file=@${FILE}`]
  }
  switch (method) {
    case 'GET':
      return [...all, '--output', nameFor(key)]
    case 'HEAD':
      return [...all, '--head']
    case 'PUT':
      // curl would put the file's name behind such a key.
      if (key.endsWith('/')) return [...withoutType(headers, all), '--request', 'PUT', '--data-binary', `@${FILE}`]
      return [...all, '--upload-file', FILE]
    default:
      return [...all, '--request', method]
  }
}

/** Keeps `--data-binary` from adding a type of its own. */
function withoutType(headers: TempUrl['headers'], words: readonly string[]): readonly string[] {
  return headers['content-type'] === undefined ? [...words, '-H', 'content-type:'] : words
}

function nameFor(key: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1)
  // A dash alone would be stdout, and one in front reads like a flag.
  return name === '' || name === '.' || name === '..' ? 'download' : name.startsWith('-') ? `./${name}` : name
}
