import {create} from 'content-disposition'
import {Failure} from '../../core/failure.ts'

/** How a download is to be named: the header's value, and what the person should know of it. */
export interface Disposition {
  readonly value: string
  readonly notes: readonly string[]
}

/** Most file systems take 255 bytes in a name; Chromium first writes to a file whose name is 11 longer. */
const LONGEST_NAME = 244

// https://www.rfc-editor.org/rfc/rfc6266#section-4.3 and https://www.rfc-editor.org/rfc/rfc8187
/** Returns a Content-Disposition that saves under exactly this name; ASCII whatever the name. Fails `usage`. */
export function makeDisposition(filename: string, type: 'attachment' | 'inline'): Disposition {
  const problem = findProblem(filename)
  if (problem !== undefined) {
    throw new Failure('usage', `${problem}.`, {suggestion: 'Choose another name with --filename.'})
  }
  // For clients that do not know `filename*`; each reads quotes, backslashes, percents and `=?` in its own way.
  const fallback = filename.replaceAll(/[^\u0020-\u007E]|["\\%/]|=(?=\?)/gu, '_')
  return {value: create(filename, {type, fallback}), notes: findNotes(filename)}
}

/** Returns why no file can have this name; undefined where one can. */
export function findProblem(filename: string): string | undefined {
  if (filename === '' || filename === '.' || filename === '..') return `"${filename}" is not a name for a file`
  if (/\p{Cc}/u.test(filename)) return 'A file name with control characters is not allowed'
  if (/\p{Cs}/u.test(filename)) return 'The file name is not valid Unicode'
  return undefined
}

function findNotes(filename: string): string[] {
  const odd = [...new Set(filename.match(/[/\\:*?"<>|]/gu))]
  const bytes = Buffer.byteLength(filename)
  return [
    ...(odd.length > 0 ? [`Browsers put "_" in place of ${odd.join(' ')} when they save the file.`] : []),
    ...(/\p{Cf}|\p{Noncharacter_Code_Point}/u.test(filename)
      ? ['Browsers replace the invisible characters of the file name.']
      : []),
    ...(filename === filename.normalize('NFC')
      ? []
      : ['Browsers join letters and their accents into single characters (NFC) in the file name.']),
    ...(/^[. ~]|[. ~]$/u.test(filename)
      ? ['Browsers change a dot, a space or a tilde at the ends of a file name.']
      : []),
    ...(bytes > LONGEST_NAME
      ? [`The file name has ${bytes} bytes; browsers cut or refuse what is over ${LONGEST_NAME}.`]
      : []),
    ...(/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu.test(filename)
      ? ['Windows has no files of this name, and browsers change it there.']
      : []),
  ]
}
