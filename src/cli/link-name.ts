import type {Target} from '../stores/store.ts'

/** What a link saves under, and what the person should know of it. */
export interface LinkName {
  /** Absent: the object's own name. */
  readonly filename?: string
  readonly notes: readonly string[]
}

/**
 * Looks at the extension trap: a name without the object's extension is opened by another program, or by none. With
 * `keepExtension` the object's is put behind it.
 */
export function chooseLinkName(filename: string | undefined, {key}: Target, keepExtension: boolean): LinkName {
  if (filename === undefined) return {notes: []}
  const [own, wished] = [extensionOf(key), extensionOf(filename)]
  if (own === '' || own.toLowerCase() === wished.toLowerCase()) return {filename, notes: []}
  if (keepExtension) return {filename: append(filename, own), notes: []}
  const how = wished === '' ? 'ends in no extension' : `ends in "${wished}"`
  return {
    filename,
    notes: [`The file name ${how}, the object's in "${own}": --keep-extension would add that.`],
  }
}

/** `backup.tar` and `.tar.gz` share a piece. */
function append(filename: string, extension: string): string {
  const [, first = '', last = ''] = /^(\.tar)(\..+)$/iu.exec(extension) ?? []
  return filename + (first !== '' && filename.toLowerCase().endsWith(first.toLowerCase()) ? last : extension)
}

/** With its dot; empty where there is none. What has no letter in it (`v2.1`) or stands first (`.profile`) is none. */
function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const [found = ''] = /(?<=.)(?:\.tar)?\.(?=\d*[a-z])[a-z\d]{1,10}$/iu.exec(name) ?? []
  return found
}
