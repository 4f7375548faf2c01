import type {PartReceipt} from '../stores/store.ts'
import type {JournalEntry, JournalHead} from './journal.ts'

/** Reads a journal; undefined where its head is missing, torn or of another version. Lines that are torn are passed over. */
export function parseJournal(text: string): JournalEntry | undefined {
  const [first = '', ...rest] = text.split('\n')
  const head = parseLine(first)
  if (!isHead(head)) return undefined
  const receipts = new Map<number, PartReceipt>()
  for (const line of rest) {
    const receipt = parseLine(line)
    // A part that was sent twice has two lines: the later one is true.
    if (isReceipt(receipt)) receipts.set(receipt.number, receipt)
  }
  return {head, receipts}
}

function parseLine(line: string): unknown {
  // Each resumed run leaves one.
  if (line === '') return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isHead(value: unknown): value is JournalHead {
  if (!isRecord(value) || value['version'] !== 1) return false
  const {identity, session, file, started} = value
  return (
    isRecord(identity) &&
    typeof identity['store'] === 'string' &&
    typeof identity['path'] === 'string' &&
    isTarget(identity['target']) &&
    isRecord(session) &&
    isTarget(session['target']) &&
    typeof session['uploadId'] === 'string' &&
    isRecord(session['options']) &&
    isSize(session['size']) &&
    isSize(session['partSize']) &&
    session['partSize'] > 0 &&
    (session['checksum'] === 'crc32' || session['checksum'] === 'md5') &&
    isRecord(file) &&
    isSize(file['size']) &&
    ['mtimeNs', 'ctimeNs', 'inode'].every(name => typeof file[name] === 'string') &&
    typeof started === 'string'
  )
}

function isTarget(value: unknown): boolean {
  return isRecord(value) && ['remote', 'container', 'key'].every(name => typeof value[name] === 'string')
}

function isReceipt(value: unknown): value is PartReceipt {
  if (!isRecord(value)) return false
  const {number, size, etag, crc32} = value
  return (
    Number.isInteger(number) &&
    Number(number) > 0 &&
    isSize(size) &&
    typeof etag === 'string' &&
    typeof crc32 === 'string' &&
    /^[\da-f]{8}$/u.test(crc32)
  )
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
