import type {Call, Store, Target} from '../stores/store.ts'
import {containersOf} from '../stores/ticket/ticket.ts'
import type {Ticket} from '../stores/ticket/ticket.ts'
import {originNotes, readCorsRule} from './cors-rule.ts'

/** Lets pages of these origins upload to the containers, as those of earlier pages may; returns what the person should know. */
export async function setPageCors(
  store: Pick<Store, 'addCors'>,
  {remote}: Target,
  containers: readonly string[],
  origins: readonly string[],
  call: Call,
  isWanted = (_origin: string): boolean => true,
): Promise<readonly string[]> {
  if (origins.length === 0) return []
  const rule = readCorsRule({origin: origins, preset: 'browser-upload'})
  const notes = new Set(originNotes(origins))
  for (const container of containers) {
    for (const note of await store.addCors({remote, container, key: ''}, rule, isWanted, call)) notes.add(note)
  }
  return [...notes]
}

/** Returns the containers that these uploads touch. */
export function containersOfAll(tickets: readonly Ticket[]): readonly string[] {
  return [...new Set(tickets.flatMap(containersOf))]
}

/** False for an earlier run of `page serve`: each may have another port, and the last one has ended. */
export function isNoServer(origin: string): boolean {
  return !/^http:\/\/127\.0\.0\.1:\d+$/u.test(origin)
}
