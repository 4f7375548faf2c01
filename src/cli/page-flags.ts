import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import {MIB} from '../core/sizes.ts'
import type {TicketFlags} from './ticket-wish.ts'
import {ticketFlags} from './ticket-wish.ts'

const {'file-size': _, ...shared} = ticketFlags

export const pageFlags = {
  uploads: Flags.integer({
    description:
      'how many files may be uploaded by it, each under a random key of its own; 1 unless given, and any number on Swift, where one URL is for a whole prefix',
    min: 1,
    max: 1000,
  }),
  title: Flags.string({description: 'what the page says at its top', default: 'Upload a file'}),
  origin: Flags.string({
    description:
      'let pages of this origin use the container (CORS): where the page will stand, or null for a page opened from a file; may be given several times',
    multiple: true,
    multipleNonGreedy: true,
  }),
  output: Flags.string({char: 'o', description: 'a new file for the page', helpValue: 'FILE', required: true}),
  ...shared,
}

/** Every part has its signature in the page: a thousand are 65 kB, and a file is cut as it needs whatever they are. */
const MOST_PARTS = 1000

/** What a page's tickets are made from. */
export function pageTicketFlags<F extends TicketFlags>(flags: F, [usual]: readonly string[]): F {
  // One PUT has no parts.
  if ((flags.assemble ?? usual) === 'whole') return flags
  const {size, 'part-size': partSize} = flags
  if (partSize !== undefined || size === undefined) return {...flags, 'part-size': partSize ?? DEFAULT_PART_SIZE}
  const wished = Math.ceil(size / MOST_PARTS / MIB) * MIB
  return {...flags, 'part-size': Math.max(SMALLEST_PART_SIZE, wished)}
}

/** 50 GiB in a thousand. */
const DEFAULT_PART_SIZE = 52 * MIB
const SMALLEST_PART_SIZE = 16 * MIB

/** Returns host and port as a browser says them: the usual port goes without saying. Fails `usage`. */
export function readPageName(name: string): string {
  const url = `https://${name}`
  if (/^[^/?#@\s]+$/u.test(name) && URL.canParse(url)) return new URL(url).host
  throw new Failure('usage', `--name: "${name}" is not a host.`, {
    suggestion: 'Write the host alone, with its port where it has one: upload.example.com',
  })
}
